import type { EvidenceBook } from '../../../src/calibration/evidence-book.ts';

export class MemoryEvidenceBook implements EvidenceBook {
  readonly records = new Map<string, string>();

  async get(name: string): Promise<string | undefined> {
    return this.records.get(name);
  }

  async swap(name: string, before: string | undefined, after: string): Promise<boolean> {
    if (this.records.get(name) !== before) return false;
    this.records.set(name, after);
    return true;
  }
}
