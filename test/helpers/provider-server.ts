import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Servers on loopback that answer as a test says; all end with `close()`. */
export class ProviderServers implements AsyncDisposable {
  readonly #closing: (() => Promise<void>)[] = [];

  /** @returns the origin */
  async listen(server: Server): Promise<string> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  http(listener: RequestListener): Promise<string> {
    return this.listen(createServer(listener));
  }

  /** Hands out each connection's socket once a request has arrived on it. */
  tcp(onRequest: (socket: Socket) => void): Promise<string> {
    return this.listen(createRawServer((socket) => socket.once('data', () => onRequest(socket))));
  }

  answering(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.http((_request, response) => sendJson(response, body, status, headers));
  }

  /** Answers every request with `body` and keeps what came. */
  async recording(body: unknown): Promise<{ readonly origin: string; readonly seen: readonly SeenRequest[] }> {
    const seen: SeenRequest[] = [];
    const origin = await this.http(async (request, response) => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: await text(request) });
      sendJson(response, body);
    });
    return { origin, seen };
  }

  /** An origin at which nobody listens. */
  async deadOrigin(): Promise<string> {
    const server = createRawServer();
    const origin = await this.listen(server);
    await new Promise((resolve) => server.close(resolve));
    return origin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }
}

export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
