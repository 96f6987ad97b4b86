import { seededRandom } from '../../src/calibration/random.ts';

/** Numbers from 0 to 1 that are the same for the same seed. */
export class Random {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seededRandom(seed);
  }
}
