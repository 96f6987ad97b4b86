import { hash } from 'node:crypto';
import type { Vector } from '../../local-model/vectors.ts';

/** Vectors of texts by content hash. Holds at most `capacity` of them and forgets the one unused for longest. */
export class VectorCache {
  readonly #vectors = new Map<string, Vector>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#vectors.size;
  }

  get(text: string): Vector | undefined {
    const key = keyOf(text);
    const vector = this.#vectors.get(key);
    if (vector !== undefined) {
      // A map lists its keys in order of insertion, so this makes the key the youngest.
      this.#vectors.delete(key);
      this.#vectors.set(key, vector);
    }
    return vector;
  }

  set(text: string, vector: Vector): void {
    this.#vectors.set(keyOf(text), vector);
    for (const oldest of this.#vectors.keys()) {
      if (this.#vectors.size <= this.#capacity) break;
      this.#vectors.delete(oldest);
    }
  }
}

function keyOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
