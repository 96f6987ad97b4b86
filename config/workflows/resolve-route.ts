import { resolve } from 'node:path';
import { languageCode } from '../../src/checks/language.ts';
import { classifyOptions } from '../../src/tasks/classify/options.ts';
import { resolveSought } from '../../src/tasks/summarize/resolve-checks.ts';
import { knownNames } from '../../src/text/known-names.ts';
import { withoutUndefined } from '../../src/text/without-undefined.ts';
import {
  type AskedRoute,
  LOCAL_MODEL_NAME,
  type RouteRule,
  type RouteSpec,
  type RulesRoute,
  type Tier,
} from '../../src/workflows/workflow.ts';
import { checkDataPolicy } from '../check-data-policy.ts';
import type { RawConfig } from '../schema.ts';
import { readText } from './read-text.ts';
import type { CascadeContext } from './resolve-cascade.ts';
import { resolveTier } from './resolve-tier.ts';

type RawWorkflow = RawConfig['workflows'][string];
type RawRoute = NonNullable<RawWorkflow['route']>;

/** Settings that only some kinds of routes have. */
const SETTINGS: Readonly<Record<RawRoute['by'], readonly (keyof RawRoute)[]>> = {
  rules: ['rules'],
  local: ['labels', 'examples', 'start', 'acceptAt'],
  model: ['model', 'labels', 'start', 'acceptAt', 'instructions'],
};

/**
 * Which tier each document of a workflow begins at.
 *
 * @param cascade the workflow's own
 */
export function resolveRoute(
  raw: RawWorkflow,
  cascade: readonly Tier[],
  workflowAt: string,
  context: CascadeContext & { readonly folder: string },
): RouteSpec | undefined {
  const { route } = raw;
  if (route === undefined) return undefined;
  const at = `${workflowAt}.route`;
  refuseOtherSettings(route, at, context.problems);
  const found: RulesRoute | AskedRoute | undefined =
    route.by === 'rules'
      ? { by: route.by, rules: resolveRules(route.rules ?? [], `${at}.rules`, context.problems) }
      : resolveAsked(raw, { ...route, by: route.by }, at, context);
  if (found === undefined) return undefined;
  const resolved = { ...found, ...(route.otherwise === undefined ? {} : { otherwise: route.otherwise }) };
  checkStarts(resolved, cascade, at, context.problems);
  checkCalibrated(resolved, raw.cascade, cascade, at, context.problems);
  return resolved;
}

function refuseOtherSettings(route: RawRoute, at: string, problems: string[]): void {
  const own = SETTINGS[route.by];
  for (const key of Object.keys(route) as (keyof RawRoute)[]) {
    if (route[key] === undefined || key === 'by' || key === 'otherwise' || own.includes(key)) continue;
    problems.push(`${at}.${key}: a route by ${route.by} has none; it has ${own.join(', ')} and otherwise`);
  }
  const needed = route.by === 'rules' ? 'rules' : 'start';
  if (route[needed] === undefined) problems.push(`${at}.${needed}: a route by ${route.by} needs it`);
}

function resolveRules(rules: NonNullable<RawRoute['rules']>, at: string, problems: string[]): readonly RouteRule[] {
  return rules.map(({ language, metadata, has, tokens, characters, start }, index) => {
    const path = `${at}.${index}`;
    if ((language ?? metadata ?? has ?? tokens ?? characters) === undefined) {
      problems.push(
        `${path}: holds for every document; name tokens, characters, language, metadata or has, or write otherwise`,
      );
    }
    const languages =
      language === undefined ? undefined : [language].flat().flatMap((name) => codeOf(name, path, problems));
    return withoutUndefined({
      tokens: tokens === undefined ? undefined : withoutUndefined(tokens),
      characters: characters === undefined ? undefined : withoutUndefined(characters),
      languages,
      metadata:
        metadata === undefined
          ? undefined
          : Object.fromEntries(Object.entries(metadata).map(([field, values]) => [field, [values].flat()])),
      has:
        has === undefined
          ? undefined
          : [has].flat().map((text, place) => resolveSought(text, `${path}.has.${place}`, problems)),
      start,
    });
  });
}

function codeOf(name: string, at: string, problems: string[]): readonly string[] {
  const code = languageCode(name);
  if (code !== undefined) return [code];
  problems.push(`${at}.language: ${JSON.stringify(name)} is no language that is recognised; write a code such as de`);
  return [];
}

function resolveAsked(
  workflow: RawWorkflow,
  route: RawRoute & { readonly by: AskedRoute['by'] },
  at: string,
  context: CascadeContext & { readonly folder: string },
): AskedRoute | undefined {
  const { problems, folder } = context;
  const { by, model = LOCAL_MODEL_NAME, start = {}, acceptAt, instructions } = route;
  if (by === 'model' && model === LOCAL_MODEL_NAME) {
    problems.push(`${at}.model: name a model of models:; the built-in one is asked with by: local`);
  }
  const tier = resolveTier(
    { model: by === 'local' ? LOCAL_MODEL_NAME : model, ...(instructions === undefined ? {} : { instructions }) },
    at,
    context,
  );
  if (tier !== undefined) checkDataPolicy([tier], workflow, context.raw, () => `${at}.model`, problems);
  const kinds = classifyOptions.resolve(
    { labels: route.labels, examples: route.examples },
    { at, problems, readText: (file, setting) => readText(resolve(folder, file), setting, problems) },
  );
  if (tier === undefined || kinds === undefined) return undefined;
  const names = kinds.labels.map(({ label }) => label);
  for (const kind of Object.keys(start)) {
    if (!names.includes(kind))
      problems.push(`${at}.start.${kind}: is none of the kinds in labels; ${knownNames(names)}`);
  }
  const { task: _, ...rest } = kinds;
  return { by, tier, kinds: rest, start, ...(acceptAt === undefined ? {} : { acceptAt }) };
}

/** Every tier that a route names. */
function startsOf(route: RouteSpec): readonly (readonly [string, string])[] {
  const named =
    route.by === 'rules'
      ? route.rules.map(({ start }, index) => [`rules.${index}.start`, start] as const)
      : Object.entries(route.start).map(([kind, start]) => [`start.${kind}`, start] as const);
  return route.otherwise === undefined ? named : [...named, ['otherwise', route.otherwise]];
}

/**
 * A route names tiers of the cascade that it stands before.
 *
 * @param at the path of the route
 */
export function checkStarts(route: RouteSpec, cascade: readonly Tier[], at: string, problems: string[]): void {
  const names = cascade.map(({ model }) => model.name);
  for (const [key, start] of startsOf(route)) {
    if (!names.includes(start)) {
      problems.push(
        `${at}.${key}: no tier of the cascade has the model ${JSON.stringify(start)}; ${knownNames(names)}`,
      );
    } else if (names.indexOf(start) !== names.lastIndexOf(start)) {
      problems.push(
        `${at}.${key}: two tiers of the cascade have the model ${start}, so that it is not clear which is meant`,
      );
    }
  }
}

/** A calibration is of documents that begin at the first tier; those that begin at the last one are right by what is promised. */
function checkCalibrated(
  route: RouteSpec,
  raw: RawWorkflow['cascade'],
  cascade: readonly Tier[],
  at: string,
  problems: string[],
): void {
  if (!raw.some(({ acceptAt }) => acceptAt === 'calibrated')) return;
  const between = cascade.slice(1, -1).map(({ model }) => model.name);
  for (const [key, start] of startsOf(route)) {
    if (!between.includes(start)) continue;
    problems.push(
      `${at}.${key}: the calibrated thresholds say nothing of documents that begin at ${start}; name the first or the last tier, or write numbers in acceptAt`,
    );
  }
}
