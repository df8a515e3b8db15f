package amaas.hadoop;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/** One step of a plan: the part of a row by the cell that holds its key. */
abstract class Step {
    private static final long P = 2_147_483_647L;
    private static final long A = 1_103_515_245L;
    private static final long B = 12_345L;
    private static final long BASE = 16_807L;
    private static final String NULL = "%N";

    final long parts;
    private final long nulls;

    private Step(String[] words) {
        parts = Long.parseLong(words[2]);
        nulls = Long.parseLong(words[3]);
    }

    /** Reads "hash number 8 0", "range text 3 0 bounds", "window number 5 0 start width", …. */
    static Step of(String text) {
        String[] words = text.split(" ", -1);
        switch (words[0]) {
            case "hash":
                return words[1].equals("text") ? new HashOfText(words) : new HashOfNumbers(words);
            case "range":
                return words[1].equals("text") ? new RangeOfTexts(words)
                        : words[1].equals("real") ? new RangeOfReals(words)
                        : new RangeOfNumbers(words);
            case "window":
                return new Windows(words);
            case "round_robin":
                return new RoundRobin(words);
            default:
                throw new IllegalArgumentException("a step of the kind " + words[0]);
        }
    }

    /** The part of a row, from 0. */
    final long part(String cell) {
        return cell.equals(NULL) ? nulls : partOf(cell);
    }

    abstract long partOf(String cell);

    private static long hash(long number, long parts) {
        return (Math.floorMod(number, P) * A + B) % P % parts;
    }

    /** The place that a binary search for a key found, as the number of bounds not above it. */
    private static long notAbove(int found) {
        return found >= 0 ? found + 1 : -found - 1;
    }

    /** Java's order puts -0.0 below 0.0; adding 0.0 makes them one number again. */
    private static double real(String cell) {
        if (cell.endsWith("inf")) {
            return cell.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        return Double.parseDouble(cell) + 0.0;
    }

    private static byte[] bytes(String cell) {
        return cell.replace("%FE", "\ufeff").replace("%0D", "\r").replace("%0A", "\n")
                .replace("%09", "\t").replace("%25", "%").getBytes(StandardCharsets.UTF_8);
    }

    private static final class HashOfNumbers extends Step {
        HashOfNumbers(String[] words) {
            super(words);
        }

        @Override
        long partOf(String cell) {
            return hash(Long.parseLong(cell), parts);
        }
    }

    private static final class HashOfText extends Step {
        HashOfText(String[] words) {
            super(words);
        }

        /** The bytes are the digits of one number of base BASE; only its remainder is kept. */
        @Override
        long partOf(String cell) {
            long number = 0;
            for (byte digit : bytes(cell)) {
                number = (number * BASE + (digit & 0xff)) % P;
            }
            return hash(number, parts);
        }
    }

    private static final class RangeOfNumbers extends Step {
        private final long[] bounds;

        RangeOfNumbers(String[] words) {
            super(words);
            bounds = Arrays.stream(words[4].split(",")).mapToLong(Long::parseLong).toArray();
        }

        @Override
        long partOf(String cell) {
            return notAbove(Arrays.binarySearch(bounds, Long.parseLong(cell)));
        }
    }

    private static final class RangeOfReals extends Step {
        private final double[] bounds;

        RangeOfReals(String[] words) {
            super(words);
            bounds = Arrays.stream(words[4].split(",")).mapToDouble(Step::real).toArray();
        }

        @Override
        long partOf(String cell) {
            return notAbove(Arrays.binarySearch(bounds, real(cell)));
        }
    }

    private static final class RangeOfTexts extends Step {
        private final byte[][] bounds;

        RangeOfTexts(String[] words) {
            super(words);
            bounds = Arrays.stream(words[4].split(",", -1))
                    .map(Base64.getDecoder()::decode).toArray(byte[][]::new);
        }

        @Override
        long partOf(String cell) {
            return notAbove(Arrays.binarySearch(bounds, bytes(cell), Arrays::compareUnsigned));
        }
    }

    private static final class Windows extends Step {
        private final long start;
        private final long width;

        Windows(String[] words) {
            super(words);
            start = Long.parseLong(words[4]);
            width = Long.parseLong(words[5]);
        }

        @Override
        long partOf(String cell) {
            return Math.floorDiv(Math.subtractExact(Long.parseLong(cell), start), width);
        }
    }

    private static final class RoundRobin extends Step {
        RoundRobin(String[] words) {
            super(words);
        }

        @Override
        long partOf(String cell) {
            return Long.parseLong(cell) % parts;
        }
    }
}
