import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

/** A TCP port in front of a server, whose connections can be cut, slowed or turned away. */
export class Link implements AsyncDisposable {
  readonly #target: () => NetConnectOpts;
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  /** How long each piece of data is under way, in each direction. */
  delayMs = 0;
  /** New connections are closed at once. */
  isClosed = false;
  cuts = 0;

  private constructor(target: () => NetConnectOpts) {
    this.#target = target;
  }

  static async start(target: () => NetConnectOpts): Promise<Link> {
    const link = new Link(target);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection; what was under way is lost. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
      this.cuts += 1;
    }
  }

  #join(socket: Socket): void {
    if (this.isClosed) {
      socket.destroy();
      return;
    }
    const target = connect(this.#target());
    this.#carry(socket, target);
    this.#carry(target, socket);
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    const underWay: { readonly due: number; readonly data: Buffer }[] = [];
    let lastDue = 0;
    const deliver = () => {
      const now = performance.now();
      for (let first = underWay[0]; first !== undefined && first.due <= now; first = underWay[0]) {
        underWay.shift();
        if (to.writable) to.write(first.data);
      }
      if (underWay[0] !== undefined) setTimeout(deliver, Math.max(1, underWay[0].due - now));
    };
    from.on('data', (data: Buffer) => {
      if (this.delayMs === 0 && underWay.length === 0) {
        if (to.writable) to.write(data);
        return;
      }
      // Never before what was sent earlier, also when the delay has just become shorter.
      lastDue = Math.max(lastDue, performance.now() + this.delayMs);
      underWay.push({ due: lastDue, data });
      if (underWay.length === 1) setTimeout(deliver, Math.max(1, lastDue - performance.now()));
    });
    from.on('error', () => {});
    from.once('close', () => {
      this.#sockets.delete(from);
      underWay.length = 0;
      to.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
