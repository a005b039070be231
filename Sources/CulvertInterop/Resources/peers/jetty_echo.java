// An echo server on Jetty 9.4's own WebSocket API.
//
//     java -cp DIRECTORY:JARS JettyEcho PORT

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.log.Log;
import org.eclipse.jetty.util.log.StdErrLog;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.api.WebSocketPolicy;
import org.eclipse.jetty.websocket.servlet.WebSocketServlet;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

final class JettyEcho {
    private static final String SUBPROTOCOL = "culvert.echo";
    /** 64 MiB: four times the largest message sent here. */
    private static final int LARGEST_MESSAGE = 64 << 20;

    private static final class Echo extends WebSocketAdapter {
        @Override
        public void onWebSocketText(String message) {
            try {
                getRemote().sendString(message);
            } catch (IOException | RuntimeException error) {
                // A client that vanishes is no news.
            }
        }

        @Override
        public void onWebSocketBinary(byte[] payload, int offset, int length) {
            try {
                getRemote().sendBytes(ByteBuffer.wrap(payload, offset, length));
            } catch (IOException | RuntimeException error) {
                // As above.
            }
        }
    }

    private static final class EchoServlet extends WebSocketServlet {
        @Override
        public void configure(WebSocketServletFactory factory) {
            WebSocketPolicy policy = factory.getPolicy();
            policy.setMaxTextMessageSize(LARGEST_MESSAGE);
            policy.setMaxBinaryMessageSize(LARGEST_MESSAGE);
            policy.setIdleTimeout(600_000);
            factory.setCreator((request, response) -> {
                if (request.getSubProtocols().contains(SUBPROTOCOL)) {
                    response.setAcceptedSubProtocol(SUBPROTOCOL);
                }
                return new Echo();
            });
        }
    }

    public static void main(String[] arguments) {
        StdErrLog log = new StdErrLog();
        log.setLevel(StdErrLog.LEVEL_OFF);
        Log.setLog(log);
        try {
            Server server = new Server();
            ServerConnector connector = new ServerConnector(server);
            connector.setHost("127.0.0.1");
            connector.setPort(Integer.parseInt(arguments[0]));
            server.addConnector(connector);
            ServletContextHandler context = new ServletContextHandler();
            context.addServlet(new ServletHolder(new EchoServlet()), "/");
            server.setHandler(context);
            server.start();
            server.join();
        } catch (Exception error) {
            // Its threads would keep the process of a server that could not start.
            System.err.println(error);
            System.exit(1);
        }
    }
}
