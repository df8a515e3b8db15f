package amaas.hadoop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.util.GenericOptionsParser;

/**
 * What the kit asks of Hadoop: one command a line of the standard input, its words in base 64. It
 * ends with its input, which ends with the process that started it.
 *
 * <pre>
 * cut LINES PARTS REDUCERS     run the job; both are folders or files of this machine
 * get SOURCE TARGET            copy from Hadoop's file system to this machine
 * put SOURCE TARGET REPLACE    copy to it, whole or not at all; REPLACE is true or false
 * </pre>
 *
 * Before these stand options, such as -D name=value. Answered is "amaas progress 0.5" as often as
 * there is something to say, and then "amaas done" or "amaas error WHAT".
 */
public final class Main {
    private static final String SAYS = "amaas ";
    private static final long LOOK_EVERY_MS = 100;

    /** Others print to the standard output too; what is for the kit begins with a word of its own. */
    private static final PrintStream OUTPUT = System.out;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        BlockingQueue<String> commands = new LinkedBlockingQueue<>();
        Thread reading = new Thread(() -> read(commands));
        reading.setDaemon(true);
        reading.start();
        while (true) {
            String[] words = Arrays.stream(commands.take().split(" "))
                    .map(word -> new String(Base64.getDecoder().decode(word), UTF_8))
                    .toArray(String[]::new);
            try {
                GenericOptionsParser parser = new GenericOptionsParser(new Configuration(), words);
                run(parser.getConfiguration(), parser.getRemainingArgs());
                say("done");
            } catch (Exception error) {
                error.printStackTrace();
                say("error " + whatOf(error));
            }
        }
    }

    /** Whatever runs ends with the input. */
    private static void read(BlockingQueue<String> commands) {
        try {
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                commands.add(line);
            }
        } catch (IOException error) {
            error.printStackTrace();
        }
        Runtime.getRuntime().halt(0);
    }

    private static void run(Configuration configuration, String[] words) throws Exception {
        switch (words[0]) {
            case "cut":
                cut(configuration, words[1], words[2], Integer.parseInt(words[3]));
                break;
            case "get":
                get(configuration, new Path(words[1]), words[2]);
                break;
            case "put":
                put(configuration, words[1], new Path(words[2]), Boolean.parseBoolean(words[3]));
                break;
            default:
                throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }

    /** The lines travel to the file system that the configuration names, and the parts back. */
    private static void cut(Configuration configuration, String lines, String parts, int reducers)
            throws Exception {
        FileSystem files = FileSystem.get(configuration);
        if (files instanceof LocalFileSystem) {
            run(Cut.job(configuration, local(lines), local(parts), reducers));
            return;
        }
        Path room = new Path(files.getHomeDirectory(), ".amaas-" + UUID.randomUUID());
        try {
            files.mkdirs(room);
            files.deleteOnExit(room);
            files.copyFromLocalFile(local(lines), new Path(room, "lines"));
            run(Cut.job(configuration, new Path(room, "lines"), new Path(room, "parts"), reducers));
            copyOut(files, new Path(room, "parts"), local(parts), configuration);
        } finally {
            files.delete(room, true);
        }
    }

    private static void run(Job job) throws Exception {
        job.submit();
        while (!job.isComplete()) {
            say("progress " + (job.mapProgress() + job.reduceProgress()) / 2);
            Thread.sleep(LOOK_EVERY_MS);
        }
        say("progress " + (job.mapProgress() + job.reduceProgress()) / 2);
        if (!job.isSuccessful()) {
            throw new IOException("the job failed: " + job.getStatus().getFailureInfo());
        }
    }

    private static void get(Configuration configuration, Path source, String target)
            throws IOException {
        copyOut(source.getFileSystem(configuration), source, local(target), configuration);
    }

    private static void copyOut(
            FileSystem files, Path source, Path target, Configuration configuration)
            throws IOException {
        LocalFileSystem here = FileSystem.getLocal(configuration);
        here.setWriteChecksum(false);
        FileUtil.copy(files, source, here, target, false, configuration);
    }

    private static void put(Configuration configuration, String source, Path target, boolean replace)
            throws IOException {
        FileSystem files = target.getFileSystem(configuration);
        check(files, target, replace);
        String mark = UUID.randomUUID().toString();
        Path beside = new Path(target.getParent(), "." + target.getName() + "." + mark);
        Path old = new Path(target.getParent(), "." + target.getName() + "." + mark + ".old");
        try {
            files.mkdirs(target.getParent());
            FileUtil.copy(
                    FileSystem.getLocal(configuration).getRaw(), local(source), files, beside, false,
                    configuration);
            check(files, target, replace);
            if (files.exists(target)) {
                rename(files, target, old);
            }
            rename(files, beside, target);
        } finally {
            if (files.exists(old) && !files.exists(target)) {
                rename(files, old, target);
            }
            files.delete(beside, true);
            files.delete(old, true);
        }
    }

    /** What is there gives way only to a new one of its kind, and only where that was asked for. */
    private static void check(FileSystem files, Path target, boolean replace) throws IOException {
        if (!files.exists(target)) {
            return;
        }
        FileStatus status = files.getFileStatus(target);
        if (!replace) {
            throw new IOException("the target exists: " + target);
        }
        if (!status.isDirectory() || !files.exists(new Path(target, "manifest.json"))) {
            throw new IOException("the target exists, and is no partition: " + target);
        }
    }

    private static void rename(FileSystem files, Path from, Path to) throws IOException {
        if (!files.rename(from, to)) {
            throw new IOException("cannot rename " + from + " to " + to);
        }
    }

    private static Path local(String path) {
        return new Path(new java.io.File(path).getAbsoluteFile().toURI());
    }

    private static void say(String words) {
        System.err.flush();
        OUTPUT.println(SAYS + words.replace('\n', ' ').replace('\r', ' '));
        OUTPUT.flush();
    }

    /** What Hadoop says of an error, without the address of its manual. */
    private static String whatOf(Exception error) {
        return error.toString().split("; For more details")[0];
    }
}
