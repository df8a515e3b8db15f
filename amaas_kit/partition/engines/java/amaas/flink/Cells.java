package amaas.flink;

import org.apache.flink.table.functions.ScalarFunction;

/** CELLS(line, 2, 5): some of the cells of a line, counted from 0 and ascending, as a line. */
public final class Cells extends ScalarFunction {
    public String eval(String line, Integer... wanted) {
        StringBuilder chosen = new StringBuilder();
        int cell = 0;
        int begin = 0;
        String between = "";
        for (int place : wanted) {
            while (cell < place) {
                begin = line.indexOf('\t', begin) + 1;
                cell++;
            }
            int end = line.indexOf('\t', begin);
            chosen.append(between).append(line, begin, end < 0 ? line.length() : end);
            between = "\t";
        }
        return chosen.toString();
    }
}
