import { ContractCluster, type ContractWorker } from '../../contract/cluster.ts';
import { MemoryBatchRegistry } from './memory-batches.ts';
import { MemoryBooks, MemoryWorker } from './memory-books.ts';
import { MemoryLedger } from './memory-ledger.ts';

/** The money core without a server. */
export class MemoryCluster extends ContractCluster<ContractWorker & { readonly ledger: MemoryLedger }> {
  readonly books = new MemoryBooks();
  readonly batches = new MemoryBatchRegistry(this.books);

  async worker() {
    const lease = new MemoryWorker(this.books);
    return { lease, ledger: new MemoryLedger(this.books, lease) };
  }

  async endLease(workerId: string): Promise<void> {
    this.books.endLease(workerId);
  }

  async stop(): Promise<void> {}
}
