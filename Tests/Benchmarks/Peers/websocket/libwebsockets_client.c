/* A load on an echo server by libwebsockets: libwebsockets_client URL CONNECTIONS BYTES SECONDS AUTHORITY */

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK ((size_t)64 << 10)

/* LWS_PRE bytes of room for a frame's head, then the payload; masking changes it, so it is written anew each time. */
static unsigned char *room;
static size_t size;
static long rounds, opened;

struct session {
	size_t received;
};

static void fail(const char *words)
{
	fprintf(stderr, "%s\n", words);
	exit(1);
}

static int talk(struct lws *socket, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
	struct session *session = user;

	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		opened++;
		lws_callback_on_writable(socket);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		memset(room + LWS_PRE, 'x', size);
		if (lws_write(socket, room + LWS_PRE, size, LWS_WRITE_BINARY) < 0)
			fail("a message could not be sent");
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		session->received += length;
		if (!lws_is_final_fragment(socket) || lws_remaining_packet_payload(socket))
			return 0;
		if (session->received != size)
			fail("the echo is not what was sent");
		session->received = 0;
		rounds++;
		lws_callback_on_writable(socket);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		fail(in ? (const char *)in : "no connection");
		return -1;
	case LWS_CALLBACK_CLIENT_CLOSED:
		fail("the server closed a connection");
		return -1;
	default:
		return 0;
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void serve_until(struct lws_context *context, double end)
{
	while (now() < end)
		if (lws_service(context, 0) < 0)
			fail("the loop ended");
}

int main(int count, char **arguments)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "culvert.load", .callback = talk, .per_session_data_size = sizeof(struct session),
		  .rx_buffer_size = CHUNK },
		{ 0 },
	};
	struct lws_context_creation_info information;
	struct lws_client_connect_info target;
	struct lws_context *context;
	const char *scheme, *path;
	char resource[256] = "/";
	long connections, before;
	double seconds, began;

	if (count != 6)
		return 2;
	connections = atol(arguments[2]);
	size = (size_t)atol(arguments[3]);
	seconds = atof(arguments[4]);
	room = calloc(1, LWS_PRE + size + LWS_PRE);
	lws_set_log_level(0, NULL);
	memset(&information, 0, sizeof(information));
	information.port = CONTEXT_PORT_NO_LISTEN;
	information.protocols = protocols;
	information.pt_serv_buf_size = CHUNK;
	information.options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	information.client_ssl_ca_filepath = arguments[5];
	context = lws_create_context(&information);

	memset(&target, 0, sizeof(target));
	if (!context || !room || lws_parse_uri(arguments[1], &scheme, &target.address, &target.port, &path))
		fail("no context, no memory or no URL");
	snprintf(resource + 1, sizeof(resource) - 1, "%s", path);
	target.context = context;
	target.path = resource;
	target.host = target.origin = target.address;
	target.local_protocol_name = protocols[0].name;
	target.ssl_connection = strcmp(scheme, "wss") ? 0 : LCCSCF_USE_SSL;
	for (long index = 0; index < connections; index++)
		if (!lws_client_connect_via_info(&target))
			fail("no connection");
	while (opened < connections)
		if (lws_service(context, 0) < 0)
			fail("the loop ended");
	serve_until(context, now() + 0.5);

	before = rounds;
	began = now();
	printf("start\n");
	fflush(stdout);
	serve_until(context, began + seconds);
	printf("stop %ld %f\n", rounds - before, now() - began);
	fflush(stdout);
	exit(0);
}
