import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { batchTimezones, workflowOf } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { RedisKeys } from '../../src/adapters/redis/keys.ts';
import { type App, openApp } from '../../src/app.ts';
import { scopesOf } from '../../src/ledger/scope.ts';
import { readCheckpoint } from '../../src/operations/recovery/checkpoints.ts';
import { downloadResults } from '../../src/results/download-results.ts';
import { runCli } from '../helpers/cli.ts';
import { type BatchBooks, checkBatch, checkBill } from './check-books.ts';
import { Cluster } from './cluster.ts';
import { configFile, simulatorOptions } from './config-file.ts';
import { CLASSIFY_MARKER, makeDocuments, SUMMARIZE_MARKER } from './documents.ts';
import { estimateCost } from './estimate-cost.ts';
import { findLeftOut, findLeftovers } from './leftovers.ts';
import { LimitWatch, retypeLimit } from './limit-watch.ts';
import { Link } from './link.ts';
import { falseClock, middayTimezone, openStorePlace, storeSettings } from './places.ts';
import { startSimulatorProcess } from './processes.ts';
import { checkHistory } from './redis-history.ts';
import { RedisPlace } from './redis-place.ts';
import { Sampler } from './sampler.ts';
import { drawScenario, type Scenario, type ScenarioOptions } from './scenario.ts';
import { checkNights, fillInbox, inboxOf, playNights } from './schedule.ts';
import { Stage } from './stage.ts';
import { cancelSoon, submit } from './submitters.ts';
import { Unrest } from './unrest.ts';

/** What one scenario did and whether every guarantee held. Money in nano-dollars. */
export interface Outcome {
  readonly seed: number;
  readonly scenario: Scenario;
  /** Empty when every guarantee held. */
  readonly problems: readonly string[];
  /** Kept when something failed. */
  readonly folder?: string;
  readonly figures: Figures;
  readonly seconds: number;
}

export interface Figures {
  documents: number;
  failed: number;
  calls: number;
  kills: number;
  stops: number;
  ends: number;
  cost: number;
  uncertainCalls: number;
  uncertain: number;
  /** Smallest part of a limit that was spent when its breaker had opened and all had settled; 1 is all of it. */
  leastUse: number;
  overshoot: number;
  samples: number;
  transactions: number;
  /** Of each fault, how often it struck. */
  blows: Readonly<Record<string, number>>;
  /** Billed, and neither in a row nor uncertain: possible only where Redis has forgotten something. */
  unbooked: number;
  /** Held for admitted calls that Redis has forgotten. */
  forgotten: number;
}

const NOTHING_SPENT = { settled: 0, uncertain: 0 };
const NO_LOG = { debug() {}, info() {}, warn() {}, error() {} };
const REST_MS = 1_500;
/** Invented 429s slow a pool whose limit nobody has stated; the work continues, and takes its time. */
const PATIENCE_MS = 300_000;
const NEAR_RAISE = 1.25;
const FAR_RAISE = 100;
/** What a worker says that is started while something is away. */
const MAY_BE_AWAY = /Cannot reach Redis|LOADING|in the store/;

/**
 * Plays the scenario of a seed from the first process to the last check. Never rejects: what goes wrong is a problem.
 */
export async function runScenario(seed: number, options: ScenarioOptions = {}): Promise<Outcome> {
  const startedAt = performance.now();
  const scenario = drawScenario(seed, options);
  const folder = mkdtempSync(join(tmpdir(), `nm-chaos-${seed}-`));
  const problems: string[] = [];
  const figures: Figures = {
    documents: 0,
    failed: 0,
    calls: 0,
    kills: 0,
    stops: 0,
    ends: 0,
    cost: 0,
    uncertainCalls: 0,
    uncertain: 0,
    leastUse: 1,
    overshoot: 0,
    samples: 0,
    transactions: 0,
    blows: {},
    unbooked: 0,
    forgotten: 0,
  };
  try {
    await play(scenario, folder, problems, figures);
  } catch (error) {
    problems.push((error as Error).stack ?? String(error));
  }
  if (problems.length === 0) rmSync(folder, { recursive: true, force: true });
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seed, scenario, problems, ...(problems.length === 0 ? {} : { folder }), figures, seconds };
}

async function play(scenario: Scenario, folder: string, problems: string[], figures: Figures): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const startedAt = Date.now();
  const billFile = join(folder, 'bill.jsonl');
  const [redisServer, simulator] = await Promise.all([
    RedisPlace.start(folder, {
      appendfsync: scenario.clusterFaults.includes('redis-kill-everysec') ? 'everysec' : 'always',
      replica: scenario.clusterFaults.includes('redis-failover'),
    }).then((place) => stack.use(place)),
    startSimulatorProcess(folder, simulatorOptions(scenario, billFile)).then((server) => stack.use(server)),
  ]);
  const batches = scenario.batches.map((batch) => ({
    ...batch,
    documents: makeDocuments(scenario.seed, batch.id, batch.workflow, batch.documents),
  }));
  const hasFault = (start: string) => scenario.clusterFaults.some((name) => name.startsWith(start));
  const link =
    hasFault('redis-cut') || hasFault('redis-slow')
      ? stack.use(await Link.start(() => ({ path: redisServer.socket })))
      : undefined;
  const store = await openStorePlace(folder, scenario, stack);
  const forgotten = () => [...redisServer.forgotten.values()].reduce((sum, { held }) => sum + held, 0);
  const places = {
    redis: link === undefined ? `unix://${redisServer.socket}` : `redis://127.0.0.1:${link.port}`,
    ...storeSettings(store, 'front'),
    baseUrl: simulator.url,
    timezone: middayTimezone(),
    inbox: inboxOf(folder),
  };
  const file = join(folder, 'nightmill.yaml');
  // What looks on from outside does not share the workers' faults.
  const own = join(folder, 'harness.yaml');
  const direct = { ...places, redis: `unix://${redisServer.socket}`, ...storeSettings(store, 'direct') };
  const load = () => loadConfig({ file: own, env: {}, cwd: folder });
  writeFileSync(own, configFile(scenario, direct, undefined));
  const config = load();
  const limited = batches.filter(
    ({ id, workflow, endedBy }) =>
      // What ends early may cost next to nothing.
      endedBy === undefined &&
      (scenario.limited === 'global' || (scenario.limited === 'workflow' ? workflow === 'triage' : id === 'first')),
  );
  const estimate = limited.reduce(
    (sum, { workflow, documents }) => sum + estimateCost(workflowOf(config, workflow).spec, documents),
    0,
  );
  const limit = Math.round(estimate * scenario.limitShare);
  writeFileSync(own, configFile(scenario, direct, limit));
  writeFileSync(file, configFile(scenario, places, limit));

  let present = limit;
  const recoverAll = async () => {
    const { code, stderr } = await runCli(folder, ['recover', '--config', own], { ownProcess: true });
    if (code !== 0) problems.push(`nightmill recover ended with ${code}: ${stderr}`);
    // As it was set last: no checkpoint need know of it.
    await app.ledger.setLimit(scopeName, present);
  };
  const cluster = new Cluster(folder, file, problems, {
    mayFindNothing: MAY_BE_AWAY,
    clocks: hasFault('clock') ? (number) => falseClock(scenario.seed, number) : undefined,
  });
  const checkpointAt = async () => (await readCheckpoint(app))?.at;
  const stage = new Stage({ cluster, redis: redisServer, link, store, recover: recoverAll, checkpointAt }, problems);
  stack.defer(() => {
    figures.blows = Object.fromEntries(stage.blows);
    cluster.killAll();
    figures.kills = cluster.done.kill;
    figures.stops = cluster.done.stop;
    figures.ends = cluster.done.end;
  });
  const inbox = hasFault('scheduler-kill') ? fillInbox(folder, scenario.seed) : undefined;
  cluster.start(scenario.workers);
  const app = stack.use(await openApp({ config: load(), log: NO_LOG, announce: () => {}, searchPath: undefined }));
  const redis = stack.adopt(new Redis({ path: redisServer.socket }), (opened) => opened.disconnect());
  redis.on('error', () => {});
  const keys = new RedisKeys(app.config.redisPrefix);
  const scopes = scopesOfAll(app, scenario);
  const watched = {
    limitsKey: keys.limits,
    scopes: scopes.map(({ name, period }) => ({ name, key: keys.scope(name, period) })),
    batchKeys: batches.map(({ id }) => keys.batch(id)),
    holdKeys: ['triage', 'digest'].map((workflow) => keys.pauses(workflow)),
  };
  const sampler = new Sampler(redis, watched, problems, hasFault('redis-'), forgotten);
  sampler.start();
  stack.defer(() => sampler.stop());

  const scopeName = { batch: 'batch:first', workflow: 'workflow:triage/day', global: 'global/day' }[scenario.limited];
  const place = { app, folder, config: file, seed: scenario.seed };
  await Promise.all(
    batches.map(async (batch) => {
      await submit(place, batch, scenario.limited === 'batch' && batch.id === 'first' ? limit : undefined);
      if (batch.endedBy === 'cancel') stage.include(cancelSoon(place, batch.id));
    }),
  );

  const nights =
    inbox === undefined ? undefined : playNights({ app, folder, killAll: () => cluster.powerCut() }, inbox);
  nights?.catch(() => {});
  const unrest = stack.use(new Unrest(scenario.actions, stage, store));
  await sampler.until(
    ({ scopes }) => scopes.some(({ held, settled }) => held + settled > 0),
    PATIENCE_MS,
    'the first call',
  );
  await redisServer.mayDie();
  if (scenario.powerCuts.has('finalize')) {
    void sampler
      .until(
        ({ batches: seen }) => seen.some(({ state }) => state === 'finalizing'),
        2 * PATIENCE_MS,
        'a batch to be finalized',
      )
      .then(() => cluster.powerCut())
      .catch(() => {});
  }
  let raisedTo: number | undefined;
  retypeLimit(sampler, scopeName, () => raisedTo, app.ledger);
  for (let raise = 1; raise <= scenario.raises; raise += 1) {
    const watch = new LimitWatch(sampler, scopeName, present, forgotten);
    unrest.begin();
    await watch.opened(PATIENCE_MS);
    if (scenario.powerCuts.has('open')) cluster.powerCut();
    await unrest.pause();
    await stage.allOver();
    const rest = await watch.atRest(REST_MS, PATIENCE_MS);
    figures.leastUse = Math.min(figures.leastUse, rest.use);
    problems.push(...rest.problems);
    if (rest.use < scenario.minUse)
      problems.push(`only ${(rest.use * 100).toFixed(2)} % of ${scopeName}'s limit ${present} could be spent`);
    const last = raise === scenario.raises;
    present = Math.round(limit * (last ? FAR_RAISE : NEAR_RAISE));
    // As if a worker had died between the two steps that resumes work: the limit is raised, the hold is gone, and
    // neither the queue was resumed nor the slices enqueued.
    if (scenario.powerCuts.has('raise')) cluster.powerCut();
    await app.ledger.setLimit(scopeName, present);
    raisedTo = present;
    if (scenario.powerCuts.has('raise')) await dropHold(app, scenario);
    unrest.begin();
  }
  const ended = (sample: { batches: readonly { state: string }[] }) =>
    sample.batches.every(
      ({ state }, index) =>
        state === 'completed' || (batches[index]?.endedBy !== undefined && /^(cancelled|expired)$/.test(state)),
    );
  await Promise.race([unrest.finished(), sampler.until(ended, PATIENCE_MS, 'every batch to end').catch(() => {})]);
  await unrest.pause();
  await stage.allOver();
  await sampler.until(ended, PATIENCE_MS, 'every batch to end');
  await nights;
  await untilQuiet(redis);
  await cluster.end();
  await sampler.stop();

  const books: BatchBooks[] = [];
  for (const { id, documents } of batches) {
    const output = join(folder, 'results', id);
    mkdirSync(output, { recursive: true });
    await downloadResults(app.store, id, output);
    books.push(
      checkBatch(
        output,
        documents.map((document) => document.id),
        await app.ledger.totals({ name: `batch:${id}`, period: '' }),
      ),
    );
  }
  if (inbox !== undefined) books.push(...(await checkNights(app, folder, inbox)));
  const prefix = keys.limits.slice(0, -'limits'.length);
  const history = checkHistory(redisServer.aofFolder, {
    prefix,
    scopes: new Map(watched.scopes.map(({ name, key }) => [key, name])),
    limitsKey: keys.limits,
    // A digest's replies may repeat what documents say.
    forbidden: hasFault('digest') ? [] : [CLASSIFY_MARKER],
    repliesOnly: [CLASSIFY_MARKER, SUMMARIZE_MARKER],
    forgotten: forgotten(),
    time: { from: startedAt, until: Date.now() },
  });
  const day = scopes.find(({ name }) => name === 'global/day');
  const bill = checkBill(billFile, books, history, {
    forgotten: { calls: redisServer.forgotten.size, held: forgotten() },
    day: day === undefined ? NOTHING_SPENT : await app.ledger.totals(day),
    hasCallsBeside: hasFault('digest') || hasFault('canary') || hasFault('candidate'),
  });
  problems.push(
    ...books.flatMap((batch) => batch.problems),
    ...history.problems,
    ...bill.problems,
    ...(await findLeftovers(redis, prefix)),
    ...findLeftOut(folder),
  );
  const add = (pick: (batch: (typeof books)[number]) => number) => books.reduce((sum, batch) => sum + pick(batch), 0);
  figures.documents = add((batch) => batch.documents);
  figures.failed = add((batch) => batch.failed);
  figures.calls = bill.calls;
  figures.unbooked = bill.unbooked;
  figures.forgotten = forgotten();
  figures.cost = add((batch) => batch.cost);
  figures.uncertain = add((batch) => batch.uncertain);
  figures.uncertainCalls = add((batch) => batch.uncertainCalls);
  figures.overshoot = Math.max(sampler.overshoot, history.overshoot);
  figures.samples = sampler.samples;
  figures.transactions = history.transactions;
}

async function dropHold(app: App, { limited }: Scenario): Promise<void> {
  if (limited === 'batch') await app.batches.resumeBatch('first');
  else await app.pauses.clear('triage');
}

/** Every scope that a call of this scenario is booked in. */
function scopesOfAll(app: App, scenario: Scenario) {
  const scopes = scenario.batches.flatMap(({ id, workflow }) =>
    scopesOf({ batchId: id, workflow }, app.clock.now(), batchTimezones(app.config, workflow)),
  );
  return [...new Map(scopes.map((scope) => [scope.name, scope])).values()];
}

/**
 * Jobs that were enqueued twice find nothing to do; they must have done so before the queue is looked at. Whoever keeps
 * house may have read that a batch is open a moment before it ended, and enqueues once more.
 */
async function untilQuiet(redis: Redis): Promise<void> {
  const quietLooks = 15;
  for (let left = 600, quiet = 0; left > 0 && quiet < quietLooks; left -= 1) {
    const lists = await redis.keys('*:bull:*');
    quiet = lists.some((key) => /:(wait|active|paused|prioritized)$/.test(key)) ? 0 : quiet + 1;
    await delay(100);
  }
}
