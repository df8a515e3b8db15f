package amaas.hadoop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashSet;
import java.util.Set;
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
    private static final String WAY_OUT = " (move it elsewhere, or remove it yourself)";

    private final Configuration configuration;
    private final FileSystem files;
    private final Path target;
    private final boolean replace;
    private final String kind;

    /** The kind is what each manifest of the kit says that it is. */
    Put(Configuration configuration, Path target, boolean replace, String kind) throws IOException {
        this.configuration = configuration;
        this.files = target.getFileSystem(configuration);
        this.target = files.makeQualified(target);
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
        if (files.listStatus(target).length == 0) {
            return;
        }
        Path stranger = strangerIn(target, listed());
        if (stranger != null) {
            throw new IOException(EXISTS + ", and holds what its manifest does not list" + WAY_OUT
                    + ": " + stranger);
        }
        if (!replace) {
            throw new IOException(EXISTS + ": " + target);
        }
    }

    /** All that the partition there consists of: its manifest, its files, and their folders. */
    private Set<Path> listed() throws IOException {
        Path manifest = new Path(target, MANIFEST);
        if (!files.exists(manifest)) {
            throw new IOException(EXISTS + ", and is no partition of the kit: " + target);
        }
        Set<Path> found = new HashSet<>();
        found.add(files.makeQualified(manifest));
        try (InputStream input = files.open(manifest)) {
            JsonNode content = new ObjectMapper().readTree(input.readAllBytes());
            if (!kind.equals(content.path("kind").textValue())) {
                throw new IllegalArgumentException("it is of another kind");
            }
            for (JsonNode part : content.required("parts")) {
                for (JsonNode file : part.required("files")) {
                    add(new Path(target, file.required("path").textValue()), found);
                }
            }
        } catch (JsonProcessingException | IllegalArgumentException damaged) {
            throw new IOException(EXISTS + ", and its manifest is damaged or of another program"
                    + WAY_OUT + ": " + manifest, damaged);
        }
        return found;
    }

    private void add(Path file, Set<Path> found) {
        for (Path place = file; place.depth() > target.depth(); place = place.getParent()) {
            found.add(files.makeQualified(place));
        }
    }

    private Path strangerIn(Path folder, Set<Path> own) throws IOException {
        for (FileStatus one : files.listStatus(folder)) {
            Path stranger = one.getPath();
            if (own.contains(stranger)) {
                stranger = one.isDirectory() ? strangerIn(stranger, own) : null;
            }
            if (stranger != null) {
                return stranger;
            }
        }
        return null;
    }
}
