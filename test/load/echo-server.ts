import fastify from 'fastify';

/** A bare Fastify that answers the body it was sent: what the service is measured against, in a process of its own. */
const server = fastify({ logger: false });
server.post('/v1/users/:userId/usages', (request, reply) => reply.code(201).send(request.body));
void server.listen({ port: 0, host: '127.0.0.1' }).then((url) => console.log(url));
process.on('SIGTERM', () => process.exit(0));
