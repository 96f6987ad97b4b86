/** Fields of a manifest that a test of something else does not care for. */
export const NOTHING_SPENT = {
  rejections: {},
  redactions: {},
  cost: 0,
  uncertain: [],
  uncertainCost: 0,
  reused: { duplicates: 0, cached: 0, earlier: 0, saved: 0 },
  hashes: { content: '', config: '', prompt: '', models: '' },
};
