// Mono's ClientWebSocket, which connects directly whatever its Options.Proxy says: MonoClient.exe URL CA
using System;
using System.IO;
using System.Linq;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Mono.Security.X509;

static class MonoClient
{
    static Uri url;

    static int Main(string[] arguments)
    {
        url = new Uri(arguments[0]);
        // ClientWebSocket asks nobody but the user's store, in $XDG_CONFIG_HOME.
        X509StoreManager.NewCurrentUser.TrustedRoot.Import(new X509Certificate(File.ReadAllBytes(arguments[1])));
        Check("open", Messages).Wait();
        foreach (var code in new[] { 1000, 3000 }) Check("close-" + code, () => Closes(code)).Wait();
        return 0;
    }

    static async Task<ClientWebSocket> Open()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(url, Deadline());
        return socket;
    }

    static CancellationToken Deadline() => new CancellationTokenSource(TimeSpan.FromSeconds(25)).Token;

    static async Task Messages()
    {
        using (var socket = await Open())
        {
            await Check("text", () => Echoes(socket, WebSocketMessageType.Text, Encoding.UTF8.GetBytes("Grüße, 世界 👋")));
            await Check("empty", () => Echoes(socket, WebSocketMessageType.Text, new byte[0]));
            await Check("binary", () => Echoes(socket, WebSocketMessageType.Binary, Pattern(256)));
            foreach (var size in new[] { 125, 126, 65535, 65536 })
                await Check(size.ToString(), () => Echoes(socket, WebSocketMessageType.Binary, Pattern(size)));
            await Check("16MB", () => Echoes(socket, WebSocketMessageType.Binary, Pattern(1 << 24)));
            await Check("fragments", async () =>
            {
                await Send(socket, WebSocketMessageType.Text, Encoding.UTF8.GetBytes("one, "), false);
                await Send(socket, WebSocketMessageType.Text, Encoding.UTF8.GetBytes("two, "), false);
                await Echoes(socket, WebSocketMessageType.Text, Encoding.UTF8.GetBytes("three"), "one, two, three");
            });
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Deadline());
        }
    }

    static async Task Closes(int code)
    {
        using (var socket = await Open())
        {
            await socket.CloseAsync((WebSocketCloseStatus)code, "done", Deadline());
            if ((int?)socket.CloseStatus != code) throw new Exception("the answer is " + socket.CloseStatus);
        }
    }

    static Task Send(WebSocket socket, WebSocketMessageType type, byte[] bytes, bool last) =>
        socket.SendAsync(new ArraySegment<byte>(bytes), type, last, Deadline());

    static async Task Echoes(WebSocket socket, WebSocketMessageType type, byte[] bytes, string whole = null)
    {
        // Both ways at once: an origin that answers as it reads would wait for us otherwise.
        var sending = Send(socket, type, bytes, true);
        var received = new MemoryStream();
        var buffer = new ArraySegment<byte>(new byte[65536]);
        WebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer, Deadline());
            received.Write(buffer.Array, 0, part.Count);
        } while (!part.EndOfMessage);
        await sending;
        var wanted = whole == null ? bytes : Encoding.UTF8.GetBytes(whole);
        if (part.MessageType != type || !received.ToArray().SequenceEqual(wanted))
            throw new Exception("sent " + wanted.Length + ", received " + part.MessageType + " of " + received.Length);
    }

    static async Task Check(string name, Func<Task> body)
    {
        try
        {
            await body();
            Console.WriteLine("pass " + name);
        }
        catch (Exception error)
        {
            var cause = error.GetBaseException();
            var reason = cause.GetType().Name + ": " + cause.Message;
            Console.WriteLine("fail " + name + " " + string.Join(" ", reason.Split()));
        }
    }

    static byte[] Pattern(int size) => Enumerable.Range(0, size).Select(i => unchecked((byte)(i * i + (i >> 8)))).ToArray();
}
