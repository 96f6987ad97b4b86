import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/**
 * A forward proxy: every host name leads to one port of this machine, by CONNECT or as a plain request. With a
 * password, whoever does not bring it gets 407.
 */
export class ProxyServer implements AsyncDisposable {
  /** `CONNECT host:port` and `METHOD url` of everything that went through. */
  readonly seen: string[] = [];
  /** Of those refused with 407. */
  refused = 0;
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  readonly #token: string | undefined;

  private constructor(targetPort: number, credentials: string | undefined) {
    this.#token = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('connect', (asked, socket: Socket) => {
      socket.on('error', () => {});
      if (!this.#isLetIn(asked.headers['proxy-authorization'])) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      this.seen.push(`CONNECT ${asked.url}`);
      const target = connect(targetPort, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        socket.pipe(target).pipe(socket);
      });
      target.on('error', () => socket.destroy());
      socket.on('close', () => target.destroy());
    });
    this.#server.on('request', (asked, response) => {
      if (!this.#isLetIn(asked.headers['proxy-authorization'])) {
        response.writeHead(407).end();
        return;
      }
      this.seen.push(`${asked.method} ${asked.url}`);
      const { pathname, search } = new URL(asked.url ?? '');
      const { 'proxy-authorization': _, ...headers } = asked.headers;
      const forwarded = request(
        { port: targetPort, host: '127.0.0.1', path: pathname + search, method: asked.method, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      forwarded.on('error', () => response.destroy());
      asked.pipe(forwarded);
    });
  }

  /** @param credentials `user:password` that it wants */
  static async start(targetPort: number, credentials?: string): Promise<ProxyServer> {
    const proxy = new ProxyServer(targetPort, credentials);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #isLetIn(authorization: string | undefined): boolean {
    if (this.#token === undefined || authorization === this.#token) return true;
    this.refused += 1;
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
