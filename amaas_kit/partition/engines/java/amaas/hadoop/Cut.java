package amaas.hadoop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IntWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.Reducer;
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat;
import org.apache.hadoop.mapreduce.lib.input.TextInputFormat;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.LazyOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.MultipleOutputs;
import org.apache.hadoop.mapreduce.lib.output.TextOutputFormat;

/**
 * The job that cuts a table of lines: map numbers the part of each line, the shuffle brings the
 * lines of a part together, and reduce writes them, or the cells of each group of columns.
 */
final class Cut {
    static final String STEPS = "amaas.steps";
    static final String GROUPS = "amaas.groups";

    private Cut() {}

    static Job job(Configuration configuration, Path lines, Path parts, int reducers)
            throws IOException {
        Job job = Job.getInstance(configuration, "amaas partition");
        job.setJarByClass(Cut.class);
        job.setInputFormatClass(TextInputFormat.class);
        job.setMapperClass(Numbering.class);
        job.setMapOutputKeyClass(IntWritable.class);
        job.setMapOutputValueClass(Text.class);
        job.setReducerClass(Writing.class);
        job.setNumReduceTasks(reducers);
        job.setOutputKeyClass(NullWritable.class);
        job.setOutputValueClass(Text.class);
        LazyOutputFormat.setOutputFormatClass(job, TextOutputFormat.class);
        FileInputFormat.addInputPath(job, lines);
        FileOutputFormat.setOutputPath(job, parts);
        // A cluster may be set to compress whatever a job writes.
        FileOutputFormat.setCompressOutput(job, false);
        return job;
    }

    /** A setting that may hold any text travels as base 64. */
    private static String[] setting(Configuration configuration, String name) {
        byte[] bytes = Base64.getDecoder().decode(configuration.get(name, ""));
        String text = new String(bytes, StandardCharsets.UTF_8);
        return text.isEmpty() ? new String[0] : text.split("\n", -1);
    }

    /** From a line to its part and its cells of columns. */
    public static final class Numbering extends Mapper<LongWritable, Text, IntWritable, Text> {
        private final IntWritable part = new IntWritable();
        private final Text rest = new Text();
        private Step[] steps;

        @Override
        protected void setup(Context context) {
            steps = Arrays.stream(setting(context.getConfiguration(), STEPS))
                    .map(Step::of).toArray(Step[]::new);
        }

        @Override
        protected void map(LongWritable place, Text line, Context context)
                throws IOException, InterruptedException {
            String cells = line.toString();
            long number = 0;
            int begin = 0;
            for (Step step : steps) {
                int end = cells.indexOf('\t', begin);
                number = number * step.parts + step.part(cells.substring(begin, end));
                begin = end + 1;
            }
            part.set(Math.toIntExact(number));
            rest.set(cells.substring(begin));
            context.write(part, rest);
        }
    }

    /** The lines of a part, in a folder of its own; of each group of columns, where there are. */
    public static final class Writing extends Reducer<IntWritable, Text, NullWritable, Text> {
        private final Text chosen = new Text();
        private int[][] groups;

        @Override
        protected void setup(Context context) {
            groups = Arrays.stream(setting(context.getConfiguration(), GROUPS))
                    .map(group -> Arrays.stream(group.split(",")).mapToInt(Integer::parseInt).toArray())
                    .toArray(int[][]::new);
        }

        @Override
        protected void reduce(IntWritable part, Iterable<Text> lines, Context context)
                throws IOException, InterruptedException {
            // A writer of its own for each part: no more files are open than a part has.
            MultipleOutputs<NullWritable, Text> output = new MultipleOutputs<>(context);
            for (Text line : lines) {
                if (groups.length == 0) {
                    output.write(NullWritable.get(), line, "part=" + part + "/lines");
                }
                String[] cells = groups.length == 0 ? null : line.toString().split("\t", -1);
                for (int group = 0; group < groups.length; group++) {
                    chosen.set(choice(cells, groups[group]));
                    int number = part.get() * groups.length + group;
                    output.write(NullWritable.get(), chosen, "part=" + number + "/lines");
                }
            }
            output.close();
        }

        private static String choice(String[] cells, int[] columns) {
            StringBuilder line = new StringBuilder(cells[columns[0]]);
            for (int i = 1; i < columns.length; i++) {
                line.append('\t').append(cells[columns[i]]);
            }
            return line.toString();
        }
    }
}
