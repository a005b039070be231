import org.eclipse.jetty.proxy.ConnectHandler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** Jetty's CONNECT handler on a loopback port: {@code JettyProxy PORT}. */
public class JettyProxy {
    public static void main(String[] arguments) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        connector.setIdleTimeout(600_000);
        server.addConnector(connector);
        ConnectHandler handler = new ConnectHandler();
        handler.setIdleTimeout(600_000);
        server.setHandler(handler);
        try {
            server.start();
        } catch (Exception failure) {
            // Its threads would keep the program alive without the port.
            System.err.println(failure);
            System.exit(1);
        }
        server.join();
    }
}
