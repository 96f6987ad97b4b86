import { Random } from '../helpers/random.ts';

/** One limit, kept at a home, spent by several ledgers that each hold a part of it in escrow. */
export interface EscrowScene {
  readonly ledgers: number;
  /** Any unit, e.g. nano-dollars. */
  readonly limit: number;
  /** Largest hold of a call; holds are spread evenly up to it. */
  readonly mostHold: number;
  /** Chance of a death of its ledger, for each call. */
  readonly deaths: number;
  /** Ledgers that die never come back in the last tenth of the limit. */
  readonly lastStayDead: boolean;
  readonly seed: number;
}

export interface EscrowOutcome {
  /** Most that was ever held and spent over the limit; must be 0. */
  readonly overshoot: number;
  /** Spent in the end, as a share of the limit. */
  readonly used: number;
  /** Held in the end by ledgers that did not come back, as a share of the limit: booked, not free for anybody. */
  readonly stranded: number;
  readonly calls: number;
  /** Trips to the home, for parts and with what was left of them. */
  readonly trips: number;
  readonly deaths: number;
}

/** Of what is left at the home a ledger takes half of its equal share at a time, so that the last part is small. */
const SHARE_OF_EQUAL = 0.5;

class Home {
  /** By ledger and number of the request: the same request is answered the same way again. */
  readonly #granted = new Map<string, number>();
  readonly #ledgers: number;
  left: number;

  constructor(limit: number, ledgers: number) {
    this.left = limit;
    this.#ledgers = ledgers;
  }

  lease(request: string, need: number): number {
    const known = this.#granted.get(request);
    if (known !== undefined) return known;
    const share = Math.floor((this.left / this.#ledgers) * SHARE_OF_EQUAL);
    const part = Math.min(this.left, Math.max(need, share));
    const granted = part < need ? 0 : part;
    this.left -= granted;
    this.#granted.set(request, granted);
    return granted;
  }

  giveBack(request: string, rest: number): void {
    const known = this.#granted.get(request);
    if (known !== undefined) return;
    this.left += rest;
    this.#granted.set(request, 0);
  }
}

/** What a ledger has on its disk. A death loses what was written since the last time. */
interface Kept {
  readonly leased: number;
  readonly requests: number;
}

class Ledger {
  readonly id: number;
  readonly #home: Home;
  leased = 0;
  spent = 0;
  #requests = 0;
  trips = 0;
  isDead = false;
  #kept: Kept = { leased: 0, requests: 0 };

  constructor(id: number, home: Home) {
    this.id = id;
    this.#home = home;
  }

  /** Spends where its part allows, and asks for another part where not. */
  call(hold: number, cost: number): boolean {
    if (this.leased - this.spent < hold) this.#lease(hold);
    if (this.leased - this.spent < hold) return false;
    this.spent += cost;
    return true;
  }

  #lease(need: number): void {
    this.trips += 1;
    const number = this.#requests + 1;
    this.leased += this.#home.lease(`${this.id} ${number}`, need);
    this.#requests = number;
  }

  /** What it cannot use goes back, so that another can. */
  giveBack(): void {
    const rest = this.leased - this.spent;
    if (rest <= 0) return;
    this.trips += 1;
    this.#requests += 1;
    // Out of its own part first, and on its disk: a death in between strands it, and never spends it twice.
    this.leased -= rest;
    this.sync();
    this.#home.giveBack(`${this.id} ${this.#requests}`, rest);
  }

  sync(): void {
    this.#kept = { leased: this.leased, requests: this.#requests };
  }

  /**
   * It has forgotten the parts it got since the last write: asking again by the same numbers brings them back. What was
   * spent is posted again by the workers, which know it.
   */
  comeBack(): void {
    const asked = this.#requests;
    this.leased = this.#kept.leased;
    for (let number = this.#kept.requests + 1; number <= asked; number += 1) {
      this.leased += this.#home.lease(`${this.id} ${number}`, 0);
    }
    this.isDead = false;
  }
}

/** Plays until no ledger that lives can make another call. */
export function playEscrow(scene: EscrowScene): EscrowOutcome {
  const random = new Random(scene.seed);
  const home = new Home(scene.limit, scene.ledgers);
  const ledgers = Array.from({ length: scene.ledgers }, (_, id) => new Ledger(id, home));
  const sum = (of: (ledger: Ledger) => number) => ledgers.reduce((total, ledger) => total + of(ledger), 0);
  const result = { overshoot: 0, calls: 0, deaths: 0 };
  for (let refused = 0; refused < 2 * scene.ledgers; ) {
    const ledger = ledgers[Math.floor(random.next() * ledgers.length)] as Ledger;
    const isLate = sum(({ spent }) => spent) > 0.9 * scene.limit;
    if (ledger.isDead) {
      if (scene.lastStayDead && isLate) refused += 1;
      else ledger.comeBack();
      continue;
    }
    if (random.next() < 0.1) ledger.sync();
    const hold = Math.max(1, Math.ceil(random.next() * scene.mostHold));
    if (ledger.call(hold, Math.ceil(hold * random.next()))) {
      result.calls += 1;
      refused = 0;
    } else {
      ledger.giveBack();
      refused += 1;
    }
    result.overshoot = Math.max(result.overshoot, sum(({ spent }) => spent) - scene.limit);
    if (random.next() < scene.deaths) {
      ledger.isDead = true;
      result.deaths += 1;
    }
  }
  const dead = ledgers.filter(({ isDead }) => isDead);
  return {
    ...result,
    used: sum(({ spent }) => spent) / scene.limit,
    stranded: dead.reduce((total, { leased, spent }) => total + leased - spent, 0) / scene.limit,
    trips: sum(({ trips }) => trips),
  };
}
