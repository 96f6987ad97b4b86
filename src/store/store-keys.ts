/** Keys of a batch's objects in the store. */
const number = (value: number) => value.toString().padStart(6, '0');

export const storeKeys = {
  batches: 'batches/',
  /** Everything of a batch. */
  batch: (batchId: string) => `batches/${batchId}/`,
  /** What the batch was submitted with: workflow, models, hashes. */
  submission: (batchId: string) => `batches/${batchId}/batch.json`,
  /** What Redis knows of it once all its slices are stored. */
  record: (batchId: string) => `batches/${batchId}/record.json`,
  inputSlice: (batchId: string, slice: number) => `batches/${batchId}/input/slice-${number(slice)}.jsonl.gz`,
  /** Hashes of the batch's texts, in input order. */
  inputTexts: (batchId: string) => `batches/${batchId}/texts.bin`,
  inputPrefix: (batchId: string) => `batches/${batchId}/input/`,
  /** What one owner of a slice wrote; the fence token keeps the objects of a former owner apart. */
  work: (batchId: string, slice: number, token: string, kind: 'results' | 'errors') =>
    `batches/${batchId}/work/${kind}-${number(slice)}.${token}.jsonl.gz`,
  /** What one owner of a slice has committed, written just before. */
  commit: (batchId: string, slice: number, token: string) =>
    `batches/${batchId}/work/commit-${number(slice)}.${token}.json`,
  workPrefix: (batchId: string) => `batches/${batchId}/work/`,
  output: (batchId: string, part: number) => `batches/${batchId}/output/part-${number(part)}.jsonl.gz`,
  errorsPrefix: (batchId: string) => `batches/${batchId}/errors/`,
  outputPrefix: (batchId: string) => `batches/${batchId}/output/`,
  errors: (batchId: string, part: number) => `batches/${batchId}/errors/part-${number(part)}.jsonl.gz`,
  /** All rows of a batch after its `number`th retry. */
  retried: (batchId: string, number_: number, folder: 'output' | 'errors') =>
    `batches/${batchId}/${folder}/retry-${number(number_)}.jsonl.gz`,
  /** Beside the rows, because it goes when they go. */
  digest: (batchId: string, extension: 'md' | 'html') => `batches/${batchId}/output/digest.${extension}`,
  /** Which texts the batches of one version of a workflow have answered. */
  answeredPrefix: (of: { workflow: string; configHash: string; promptHash: string; tenant?: string | undefined }) =>
    `answered/${of.workflow}/${of.configHash.slice(0, 16)}-${of.promptHash.slice(0, 16)}/${of.tenant === undefined ? 'all' : `tenant-${of.tenant}`}/`,
  cache: 'cache/',
  /** Which texts the batches of a workflow have answered, all versions of it. */
  answeredOf: (workflow: string | undefined) => (workflow === undefined ? 'answered/' : `answered/${workflow}/`),
  cachedAnswer: (callKey: string) => `cache/${callKey.slice(0, 2)}/${callKey}.json`,
  /** Content of a file of the OpenAI-compatible endpoint. */
  fileContent: (fileId: string) => `files/${fileId}/content`,
  /** Which files a slot of a schedule took from its inbox. */
  scheduleChoice: (schedule: string, batchId: string) => `schedules/${schedule}/${batchId}.json`,
  /** Scores of a batch against a golden set. */
  evaluation: (run: string) => `evaluations/${run}.json`,
  /** What a workflow's gate remembers of an evaluation. */
  evaluated: (workflow: string, run: string) => `evaluated/${workflow}/${run}.json`,
  evaluatedAll: 'evaluated/',
  evaluatedPrefix: (workflow: string) => `evaluated/${workflow}/`,
  /** One line of a workflow's golden set, by a hash of its id. */
  golden: (workflow: string, hash: string) => `golden/${workflow}/${hash}.json`,
  goldenOf: (workflow: string) => `golden/${workflow}/`,
  goldenAll: 'golden/',
  /** What a probe of a provider has booked. */
  probe: (id: string) => `probes/${id}.json`,
  probes: 'probes/',
  /** What was booked for a self-hosted server on a day. */
  power: (provider: string, day: string) => `power/${provider}/${day}.json`,
  powerOf: (provider: string) => `power/${provider}/`,
  powers: 'power/',
  evaluations: 'evaluations/',
  schedules: 'schedules/',
  /** What is kept of a Redis, by its prefix. */
  checkpoint: (redisPrefix: string) => `checkpoints/${redisPrefix}.json.gz`,
  manifest: (batchId: string) => `batches/${batchId}/manifest.json`,
} as const;
