package amaas.flink;

import java.nio.charset.StandardCharsets;
import org.apache.flink.table.functions.ScalarFunction;

/** TEXT_NUMBER(text): its UTF-8 bytes read as one number of base BASE, modulo P. */
public final class TextNumber extends ScalarFunction {
    private static final long P = 2_147_483_647L;
    private static final long BASE = 16_807L;

    public Long eval(String text) {
        if (text == null) {
            return null;
        }
        long number = 0;
        for (byte digit : text.getBytes(StandardCharsets.UTF_8)) {
            number = (number * BASE + (digit & 0xff)) % P;
        }
        return number;
    }
}
