import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The JDK's WebSocket client through an HTTP proxy: {@code JavaClient URL PROXY CA}. */
public class JavaClient implements WebSocket.Listener {
    interface Body { void run() throws Exception; }

    private static HttpClient client;
    private static URI url;

    /** Whole messages as String or byte[], pongs as ByteBuffer, the close code as Integer, errors as Throwable. */
    private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private final java.io.ByteArrayOutputStream binary = new java.io.ByteArrayOutputStream();

    public static void main(String[] arguments) throws Exception {
        url = URI.create(arguments[0]);
        URI proxy = URI.create(arguments[1]);
        client = HttpClient.newBuilder()
            .proxy(ProxySelector.of(new InetSocketAddress(proxy.getHost(), proxy.getPort())))
            .sslContext(trusting(Path.of(arguments[2])))
            .build();
        check("open", JavaClient::messages);
        for (int code : new int[] {1000, 3000}) check("close-" + code, () -> closes(code));
        System.exit(0);
    }

    private static SSLContext trusting(Path authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var pem = Files.newInputStream(authority)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    private static WebSocket open(JavaClient listener) throws Exception {
        return client.newWebSocketBuilder().connectTimeout(Duration.ofSeconds(20)).buildAsync(url, listener)
            .get(20, TimeUnit.SECONDS);
    }

    private static void messages() throws Exception {
        JavaClient listener = new JavaClient();
        WebSocket socket = open(listener);
        check("text", () -> listener.echoes(socket, "Grüße, 世界 👋"));
        check("empty", () -> listener.echoes(socket, ""));
        check("binary", () -> listener.echoes(socket, pattern(256)));
        for (int size : new int[] {125, 126, 65535, 65536}) {
            check(Integer.toString(size), () -> listener.echoes(socket, pattern(size)));
        }
        check("16MB", () -> listener.echoes(socket, pattern(1 << 24)));
        check("fragments", () -> {
            socket.sendText("one, ", false).get(20, TimeUnit.SECONDS);
            socket.sendText("two, ", false).get(20, TimeUnit.SECONDS);
            socket.sendText("three", true).get(20, TimeUnit.SECONDS);
            listener.hears("one, two, three");
        });
        check("ping", () -> {
            ByteBuffer payload = ByteBuffer.wrap("culvert".getBytes(StandardCharsets.US_ASCII));
            socket.sendPing(payload.duplicate()).get(20, TimeUnit.SECONDS);
            listener.hears(payload);
        });
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(20, TimeUnit.SECONDS);
    }

    private static void closes(int code) throws Exception {
        JavaClient listener = new JavaClient();
        open(listener).sendClose(code, "done").get(20, TimeUnit.SECONDS);
        listener.hears(code);
    }

    private void echoes(WebSocket socket, String message) throws Exception {
        socket.sendText(message, true).get(30, TimeUnit.SECONDS);
        hears(message);
    }

    private void echoes(WebSocket socket, byte[] message) throws Exception {
        socket.sendBinary(ByteBuffer.wrap(message), true).get(30, TimeUnit.SECONDS);
        hears(message);
    }

    private void hears(Object wanted) throws Exception {
        Object received = heard.poll(30, TimeUnit.SECONDS);
        if (received == null) throw new Exception("nothing came back");
        if (received instanceof Throwable error) throw new Exception(error);
        boolean same = wanted instanceof byte[] bytes
            ? received instanceof byte[] other && Arrays.equals(bytes, other) : wanted.equals(received);
        if (!same) throw new Exception("received something else: a " + received.getClass().getSimpleName());
    }

    private static void check(String name, Body body) {
        try {
            body.run();
            System.out.println("pass " + name);
        } catch (Exception error) {
            Throwable cause = error;
            while (cause.getCause() != null) cause = cause.getCause();
            System.out.println("fail " + name + " " + cause.toString().replaceAll("\\s+", " "));
        }
    }

    private static byte[] pattern(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) bytes[i] = (byte) (i * i + (i >> 8));
        return bytes;
    }

    @Override public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
        text.append(part);
        if (last) {
            heard.add(text.toString());
            text.setLength(0);
        }
        socket.request(1);
        return null;
    }

    @Override public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
        byte[] bytes = new byte[part.remaining()];
        part.get(bytes);
        binary.writeBytes(bytes);
        if (last) {
            heard.add(binary.toByteArray());
            binary.reset();
        }
        socket.request(1);
        return null;
    }

    @Override public CompletionStage<?> onPong(WebSocket socket, ByteBuffer payload) {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        heard.add(ByteBuffer.wrap(bytes));
        socket.request(1);
        return null;
    }

    @Override public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        heard.add(code);
        return null;
    }

    @Override public void onError(WebSocket socket, Throwable error) {
        heard.add(error);
    }
}
