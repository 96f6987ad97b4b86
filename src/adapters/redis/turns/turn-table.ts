import type { CallTicket } from '../../../ledger/ledger.ts';
import type { Scope } from '../../../ledger/scope.ts';
import type { RedisKeys } from '../keys.ts';

/** Of calls that take nothing of any quota; nothing is ever written there. */
export const NO_POOL = '-';

export function poolOf({ quota }: CallTicket): string {
  return quota?.pool ?? NO_POOL;
}

/** Calls that go through one script share it: their pool, and the worker id that their holds are filed under. */
export function turnOf({ ticket, workerId }: { readonly ticket: CallTicket; readonly workerId: string }): string {
  return `${workerId} ${poolOf(ticket)}`;
}

/** Numbers as Lua counts: the first is 1. */
type Place = number;

/** What calls of one turn have in common. */
interface Kind {
  readonly ticket: CallTicket;
  readonly place: Place;
}

/** Fence key, slice, fence token, journal key, key of the uncertain calls. */
type SliceRow = readonly [Place, string, string, Place, Place];
type ScopeRow = readonly [Place, string];

/**
 * What the calls of one turn share, written down once: the keys that their script touches, their slices and scopes, and
 * kinds of calls that differ in no more than their ids and amounts.
 */
export class TurnTable<KindRow> {
  readonly keys: string[];
  readonly slices: SliceRow[] = [];
  readonly scopes: ScopeRow[] = [];
  readonly kinds: KindRow[] = [];
  readonly #names: RedisKeys;
  readonly #rowOf: (ticket: CallTicket, slice: Place, scopes: readonly Place[]) => KindRow;
  readonly #places = new Map<string, Place>();
  readonly #known: Kind[] = [];

  /** @param fixed the keys that stand first, by the script's own order */
  constructor(
    names: RedisKeys,
    fixed: readonly string[],
    rowOf: (ticket: CallTicket, slice: Place, scopes: readonly Place[]) => KindRow,
  ) {
    this.#names = names;
    this.keys = [...fixed];
    this.#rowOf = rowOf;
  }

  /** Place of the call's kind. */
  kind(ticket: CallTicket): Place {
    const known = this.#known.find((kind) => isSameKind(kind.ticket, ticket));
    if (known !== undefined) return known.place;
    const scopes = ticket.scopes.map((scope) => this.#scope(scope));
    const place = this.kinds.push(this.#rowOf(ticket, this.#slice(ticket), scopes));
    this.#known.push({ ticket, place });
    return place;
  }

  #slice({ claim: { batchId, slice, token } }: CallTicket): Place {
    return this.#placeOf(`slice ${batchId} ${slice} ${token}`, () =>
      this.slices.push([
        this.#key(this.#names.fence(batchId)),
        String(slice),
        token,
        this.#key(this.#names.journal(batchId, slice)),
        this.#key(this.#names.uncertain(batchId)),
      ]),
    );
  }

  #scope({ name, period }: Scope): Place {
    return this.#placeOf(`scope ${name} ${period}`, () =>
      this.scopes.push([this.#key(this.#names.scope(name, period)), name]),
    );
  }

  #key(name: string): Place {
    return this.#placeOf(`key ${name}`, () => this.keys.push(name));
  }

  #placeOf(what: string, add: () => Place): Place {
    const known = this.#places.get(what);
    if (known !== undefined) return known;
    const place = add();
    this.#places.set(what, place);
    return place;
  }
}

/** Scopes and limits are compared as objects: a slice's calls share theirs, and a kind too many only costs bytes. */
function isSameKind(a: CallTicket, b: CallTicket): boolean {
  return (
    a.scopes === b.scopes &&
    a.model === b.model &&
    a.claim.slice === b.claim.slice &&
    a.claim.token === b.claim.token &&
    a.claim.batchId === b.claim.batchId &&
    a.quota?.limits === b.quota?.limits &&
    a.quota?.dayOffsetMs === b.quota?.dayOffsetMs
  );
}
