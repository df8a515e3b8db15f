package amaas.hadoop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.hadoop.conf.Configuration;
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
 * cut LINES PARTS REDUCERS            run the job; both are folders or files of this machine
 * get SOURCE TARGET                   copy from Hadoop's file system to this machine
 * check TARGET REPLACE KIND           whether put would be refused; REPLACE is true or false
 * put TARGET REPLACE KIND SOURCE      copy to it, whole or not at all
 * </pre>
 *
 * Before these stand options, such as -D name=value. Answered is "amaas progress 0.5" as often as
 * there is something to say, and then "amaas done" or "amaas error WHAT".
 */
public final class Main {
    private static final String SAYS = "amaas ";

    /** Of hidden folders in the home folder of HDFS. */
    private static final String NAME = "amaas";

    private static final long LOOK_EVERY_MS = 100;

    /** So long work may take to end in order. */
    private static final long END_MS = 5_000;

    /** Others print to the standard output too; what is for the kit begins with a word of its own. */
    private static final PrintStream OUTPUT = System.out;

    private static volatile boolean ended;

    private Main() {}

    public static void main(String[] arguments) {
        BlockingQueue<String> commands = new LinkedBlockingQueue<>();
        Thread working = Thread.currentThread();
        Thread reading = new Thread(() -> read(commands, working));
        reading.setDaemon(true);
        reading.start();
        while (!ended) {
            try {
                answer(commands.take());
            } catch (InterruptedException atEnd) {
                break;
            }
        }
    }

    private static void answer(String command) throws InterruptedException {
        String[] words = Arrays.stream(command.split(" "))
                .map(word -> new String(Base64.getDecoder().decode(word), UTF_8))
                .toArray(String[]::new);
        Configuration configuration = new Configuration();
        try {
            GenericOptionsParser parser = new GenericOptionsParser(configuration, words);
            run(configuration, parser.getRemainingArgs());
            say("done");
        } catch (InterruptedException atEnd) {
            throw atEnd;
        } catch (Exception error) {
            error.printStackTrace();
            say("error " + whatOf(error) + whereOf(configuration));
        }
    }

    /** Whatever runs ends with the input; what it made elsewhere is removed if that takes no time. */
    private static void read(BlockingQueue<String> commands, Thread working) {
        try {
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                commands.add(line);
            }
            ended = true;
            working.interrupt();
            working.join(END_MS);
        } catch (IOException | InterruptedException error) {
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
            case "check":
                put(configuration, words).check();
                break;
            case "put":
                put(configuration, words).put(local(words[4]));
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
        for (Room left : Room.left(files, files.getHomeDirectory(), NAME)) {
            left.close();
        }
        try (Room room = Room.open(files, files.getHomeDirectory(), NAME)) {
            Path there = new Path(room.path, "parts");
            files.copyFromLocalFile(local(lines), new Path(room.path, "lines"));
            run(Cut.job(configuration, new Path(room.path, "lines"), there, reducers));
            copyOut(files, there, local(parts), configuration);
        }
    }

    private static void run(Job job) throws Exception {
        job.submit();
        try {
            while (!job.isComplete()) {
                say("progress " + (job.mapProgress() + job.reduceProgress()) / 2);
                Thread.sleep(LOOK_EVERY_MS);
            }
        } catch (InterruptedException atEnd) {
            job.killJob();
            throw atEnd;
        }
        say("progress " + (job.mapProgress() + job.reduceProgress()) / 2);
        if (!job.isSuccessful()) {
            throw new IOException("the job failed");
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

    private static Put put(Configuration configuration, String[] words) throws IOException {
        return new Put(configuration, new Path(words[1]), Boolean.parseBoolean(words[2]), words[3]);
    }

    private static Path local(String path) {
        return new Path(new java.io.File(path).getAbsoluteFile().toURI());
    }

    private static void say(String words) {
        System.err.flush();
        OUTPUT.println(SAYS + words.replace('\n', ' ').replace('\r', ' '));
        OUTPUT.flush();
    }

    /** What Hadoop says of an error, without the address of its manual and the server's stack. */
    private static String whatOf(Exception error) {
        return error.toString().split("; For more details|[\\r\\n]")[0];
    }

    private static String whereOf(Configuration configuration) {
        String address = configuration.get("fs.defaultFS");
        return address.startsWith("file:") ? "" : " (the file system is " + address + ")";
    }
}
