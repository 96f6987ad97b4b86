import { catchAllLabel, lessSurely, withCatchAll } from '../../local-model/catch-all.ts';
import { EVERYDAY_TEXTS } from '../../local-model/everyday-texts.ts';
import { labelScope, type ScopeText } from '../../local-model/label-scope.ts';
import type { LabelDescription, LocalClassifierSpec } from '../../local-model/local-model.ts';
import {
  FEWEST_EXAMPLES,
  type TrainingExample,
  trainVectorClassifier,
  type VectorClassifier,
} from '../../local-model/text-classifier.ts';
import { contrastVectors, type Vector } from '../../local-model/vectors.ts';
import { hasWords } from '../../local-model/words.ts';

/** Vectors of texts, in order. */
type Embed = (texts: readonly string[]) => Promise<readonly Vector[]>;

/** A classifier by the labels' descriptions and what examples there are; one of the labels may be a catch-all. */
export async function trainWithVectors(
  spec: LocalClassifierSpec,
  examples: readonly TrainingExample[],
  embed: Embed,
): Promise<VectorClassifier> {
  const vectors = await embed(examples.map(({ text }) => text));
  const names = spec.labels.map(({ label }) => label);
  const catchAll = catchAllLabel(names, spec.fallbackLabel);
  const all = names.map((_, label) => label);
  if (catchAll === undefined || names.length === 1) return trainOn(spec, all, examples, vectors, embed);

  const isOutside = ({ label }: TrainingExample) => label === catchAll;
  const placed = examples.map((example, i) => ({ ...example, vector: vectors[i] as Vector }));
  const outside = placed.filter(isOutside);
  // Its name and description say nothing about what it holds; enough examples do.
  const labels = outside.length < FEWEST_EXAMPLES ? all.filter((label) => label !== catchAll) : all;
  const classify = await trainOn(spec, labels, examples, vectors, embed);
  const fitting = spec.labels.filter((_, label) => label !== catchAll);
  const within = placed.filter((example) => !isOutside(example));
  const isKnown = within.length >= FEWEST_EXAMPLES || fitting.every(isDescribed);
  const scope = labelScope({
    descriptions: await withVectors(fitting.flatMap(describedParts), embed),
    examples: within,
    everyday: await withVectors(EVERYDAY_TEXTS, embed),
    outside,
    onlyNames: !isKnown,
  });
  return withCatchAll(isKnown ? classify : lessSurely(classify), scope, { catchAll, labels });
}

/** @param labels indices of those that it tells apart; it answers with indices of this list */
async function trainOn(
  { labels: described }: LocalClassifierSpec,
  labels: readonly number[],
  examples: readonly TrainingExample[],
  vectors: readonly Vector[],
  embed: Embed,
): Promise<VectorClassifier> {
  const texts = labels.map((label) => describedText(described[label] as LabelDescription));
  const own = examples.flatMap((example, i) => {
    const label = labels.indexOf(example.label);
    return label < 0 ? [] : [{ example: { ...example, label }, vector: vectors[i] as Vector }];
  });
  return trainVectorClassifier(
    contrastVectors(await embed(texts)),
    own.map(({ example }) => example),
    own.map(({ vector }) => vector),
  );
}

async function withVectors(texts: readonly string[], embed: Embed): Promise<readonly ScopeText[]> {
  const vectors = await embed(texts);
  return texts.map((text, i) => ({ text, vector: vectors[i] as Vector }));
}

function describedText({ label, description }: LabelDescription): string {
  return `${spacedName(label)}: ${description}`;
}

/** A label without a description of its own is described by its name. */
function isDescribed({ label, description }: LabelDescription): boolean {
  return hasWords(description) && spacedName(description).toLowerCase() !== spacedName(label).toLowerCase();
}

/** The whole description, and each of the phrases that it lists. */
function describedParts({ label, description }: LabelDescription): readonly string[] {
  const phrases = description.replace(/^[^:,;]{0,60}:/, '').split(/[,;]/);
  return [describedText({ label, description }), ...phrases.map((phrase) => phrase.trim()).filter(hasWords)];
}

/** `Refund_notShowing-up` reads `Refund not Showing up`, so that the encoder sees words. */
function spacedName(label: string): string {
  return label.replace(/[_-]+/g, ' ').replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
}
