package amaas.flink;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.table.functions.ScalarFunction;

/** BOUNDS_0(key): how many bounds of a long range are not above the key. */
public final class Bounds extends ScalarFunction {
    private final long[] numbers;
    private final double[] reals;
    private final byte[][] texts;

    /**
     * @param kind "number", "real" or "text": what the key is
     * @param bounds in ascending order, as the cells of a line
     */
    public Bounds(String kind, String bounds) {
        String[] cells = bounds.split("\t", -1);
        numbers = kind.equals("number")
                ? Arrays.stream(cells).mapToLong(Long::parseLong).toArray() : null;
        reals = kind.equals("real")
                ? Arrays.stream(cells).mapToDouble(Bounds::real).toArray() : null;
        texts = kind.equals("text")
                ? Arrays.stream(cells).map(Bounds::bytesOfCell).toArray(byte[][]::new) : null;
    }

    public Long eval(Long key) {
        return key == null ? null : count(Arrays.binarySearch(numbers, key));
    }

    public Long eval(Double key) {
        return key == null ? null : count(Arrays.binarySearch(reals, key + 0.0));
    }

    public Long eval(String key) {
        if (key == null) {
            return null;
        }
        byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
        return count(Arrays.binarySearch(texts, bytes, Arrays::compareUnsigned));
    }

    /** A search gives the place of an equal bound, or -1 minus the place of the first above. */
    private static long count(int found) {
        return found >= 0 ? found + 1 : -1 - found;
    }

    /** Plus zero makes 0.0 of -0.0, which a search would take for less. */
    private static double real(String cell) {
        return Double.parseDouble(cell) + 0.0;
    }

    private static byte[] bytesOfCell(String cell) {
        return cell.replace("%09", "\t").replace("%0A", "\n").replace("%0D", "\r")
                .replace("%FE", "\ufeff").replace("%25", "%").getBytes(StandardCharsets.UTF_8);
    }
}
