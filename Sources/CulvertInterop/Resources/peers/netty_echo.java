// An echo server on Netty.
//
//     java -cp DIRECTORY:netty-all.jar NettyEcho PORT

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketServerCompressionHandler;

final class NettyEcho {
    private static final String SUBPROTOCOL = "culvert.echo";
    /** 64 MiB: four times the largest message sent here. */
    private static final int LARGEST_MESSAGE = 64 << 20;

    private static final class Echo extends SimpleChannelInboundHandler<WebSocketFrame> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, WebSocketFrame message) {
            context.writeAndFlush(message.retain());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // A client that vanishes is no news.
            context.close();
        }
    }

    private static final class Pipeline extends ChannelInitializer<SocketChannel> {
        @Override
        protected void initChannel(SocketChannel channel) {
            channel.pipeline().addLast(
                new HttpServerCodec(),
                new HttpObjectAggregator(65_536),
                new WebSocketServerCompressionHandler(),
                new WebSocketServerProtocolHandler("/", SUBPROTOCOL, true, LARGEST_MESSAGE),
                new WebSocketFrameAggregator(LARGEST_MESSAGE),
                new Echo());
        }
    }

    public static void main(String[] arguments) {
        EventLoopGroup group = new NioEventLoopGroup(1);
        try {
            new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new Pipeline())
                .bind("127.0.0.1", Integer.parseInt(arguments[0]))
                .sync();
        } catch (Exception error) {
            // Its threads would keep the process of a server that could not start.
            System.err.println(error);
            System.exit(1);
        }
    }
}
