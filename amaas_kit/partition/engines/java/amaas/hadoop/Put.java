package amaas.hadoop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;

/** Gives a folder of parts its place in HDFS: whole or not at all. */
final class Put {
    private static final String MANIFEST = "manifest.json";
    private static final String EXISTS = "the target exists";

    private final Configuration configuration;
    private final FileSystem files;
    private final Path target;
    private final boolean replace;
    private final String kind;

    /** The kind is what stands near the beginning of each manifest of the kit. */
    Put(Configuration configuration, Path target, boolean replace, String kind) throws IOException {
        this.configuration = configuration;
        this.files = target.getFileSystem(configuration);
        this.target = target;
        this.replace = replace;
        this.kind = kind;
    }

    void put(Path source) throws IOException {
        recover();
        check();
        try (Room room = Room.open(files, target.getParent(), target.getName())) {
            Path data = new Path(room.path, "data");
            FileUtil.copy(
                    FileSystem.getLocal(configuration).getRaw(), source, files, data, false,
                    configuration);
            check();
            swap(room, data);
        }
    }

    /** A rename of FileContext never moves into a folder that has come there meanwhile. */
    private void swap(Room room, Path data) throws IOException {
        FileContext names = FileContext.getFileContext(files.getUri(), configuration);
        if (files.exists(target)) {
            names.rename(target, old(room));
        }
        try {
            names.rename(data, target);
        } finally {
            putBack(room);
        }
    }

    /** Clears away what killed processes left beside the target, and puts back what they moved. */
    void recover() throws IOException {
        for (Room left : Room.left(files, target.getParent(), target.getName())) {
            try (left) {
                putBack(left);
            }
        }
    }

    private void putBack(Room room) throws IOException {
        if (files.exists(old(room)) && !files.exists(target)) {
            files.rename(old(room), target);
        }
    }

    private static Path old(Room room) {
        return new Path(room.path, "old");
    }

    /** What is there gives way only to a new one of its kind, and only where that was asked for. */
    void check() throws IOException {
        if (!files.exists(target)) {
            return;
        }
        if (!files.getFileStatus(target).isDirectory()) {
            throw new IOException(EXISTS + ", and is a file: " + target);
        }
        FileStatus[] content = files.listStatus(target);
        if (content.length > 0 && !isOurs()) {
            throw new IOException(EXISTS + ", and is no partition of the kit: " + target);
        }
        for (FileStatus one : content) {
            String name = one.getPath().getName();
            if (!name.equals(MANIFEST) && !name.startsWith("part=")) {
                throw new IOException(EXISTS + ", and holds files of others: " + one.getPath());
            }
        }
        if (content.length > 0 && !replace) {
            throw new IOException(EXISTS + ": " + target);
        }
    }

    private boolean isOurs() throws IOException {
        Path manifest = new Path(target, MANIFEST);
        if (!files.exists(manifest)) {
            return false;
        }
        try (InputStream input = files.open(manifest)) {
            return new String(input.readNBytes(64), UTF_8).contains(kind);
        }
    }
}
