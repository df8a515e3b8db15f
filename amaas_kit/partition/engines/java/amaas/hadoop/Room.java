package amaas.hadoop;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;

/**
 * A hidden folder in HDFS that is gone with the process that made it, or when a later one looks. A
 * file in it is held open for writing: HDFS gives that lease to no other before its process has
 * been silent for a minute.
 */
final class Room implements AutoCloseable {
    private static final String LOCK = "lock";
    private static final String END = "\\.[0-9a-f-]{36}\\.cutting";

    final Path path;
    private final FileSystem files;
    private final FSDataOutputStream lock;

    private Room(FileSystem files, Path path, FSDataOutputStream lock) {
        this.files = files;
        this.path = path;
        this.lock = lock;
    }

    /** A new one, ".NAME.UUID.cutting". Folder and lock are made in one step. */
    static Room open(FileSystem files, Path parent, String name) throws IOException {
        Path path = new Path(parent, "." + name + "." + UUID.randomUUID() + ".cutting");
        return new Room(files, path, files.create(new Path(path, LOCK), false));
    }

    /** Those of this name whose processes are no more, from now on held by this process. */
    static List<Room> left(FileSystem files, Path parent, String name) throws IOException {
        List<Room> found = new ArrayList<>();
        boolean leases = files instanceof DistributedFileSystem;
        if (!leases || !files.exists(parent)) {
            return found;
        }
        for (FileStatus status : files.listStatus(parent)) {
            String rest = status.getPath().getName();
            if (rest.startsWith("." + name) && rest.substring(name.length() + 1).matches(END)) {
                take(files, status.getPath(), found);
            }
        }
        return found;
    }

    private static void take(FileSystem files, Path path, List<Room> found) {
        try {
            if (files.exists(new Path(path, LOCK))) {
                found.add(new Room(files, path, files.append(new Path(path, LOCK))));
            } else {
                files.delete(path, true);
            }
        } catch (IOException held) {
            // Its process lives, or has not been silent for long enough; or another takes it.
        }
    }

    /** Also the last act of a thread that was told to end. */
    @Override
    public void close() throws IOException {
        Thread.interrupted();
        try {
            lock.close();
        } catch (IOException gone) {
            // Whoever removed the lock meanwhile held the folder by right.
        }
        files.delete(path, true);
    }
}
