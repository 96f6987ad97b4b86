import { describe, expect, it } from 'vitest';
import { classifyQuestion } from '../../../src/tasks/classify/answer.ts';
import type { ClassifyWorkflow } from '../../../src/workflows/workflow.ts';

const WORKFLOW: ClassifyWorkflow = {
  name: 'triage',
  task: 'classify',
  cascade: [],
  labels: [
    { label: 'billing', description: 'Invoices' },
    { label: 'bug', description: 'Broken' },
    { label: 'other', description: 'Anything else' },
  ],
  examples: [],
};
const question = classifyQuestion(WORKFLOW, 'The invoice is wrong.');
const judge = (text: string) => question.judge({ text, finish: 'stop' });
const GOOD = '{"label":"billing","confidence":0.95}';
const DRAFT = '{"label":"bug","confidence":0.4}';

describe('a label in another form', () => {
  it.each([
    ['as the prompt lists it', '{"label":"billing: Invoices","confidence":0.95}'],
    ['with a remark', '{"label":"billing (an invoice)","confidence":0.95}'],
    ['with its name', '{"label":"label: billing","confidence":0.95}'],
    ['in a list of one', '{"label":["billing"],"confidence":0.95}'],
    ['in an object', '{"label":{"name":"billing"},"confidence":0.95}'],
    ['in an object with its confidence', '{"label":{"value":"billing","confidence":0.95}}'],
    ['under a key of its own', '{"predicted_label":"billing","confidence":0.95}'],
    ['under another key', '{"intent":"billing","confidence":0.95}'],
    ['beside an empty one', '{"label":null,"topic":"billing","confidence":0.95}'],
    ['as a key with its score', '{"billing":0.95,"bug":0.03,"other":0.02}'],
    ['as a key inside', '{"label":{"billing":0.95}}'],
    ['with a score', '{"label":"billing","score":0.95}'],
    ['with a probability', '{"label":"billing","probability":"95%"}'],
    ['with a confidence in a list', '{"label":"billing","confidence":[0.95]}'],
    ['with a confidence in an object', '{"label":"billing","confidence":{"value":0.95}}'],
    [
      'as the arguments of a call in text',
      '{"name":"f","arguments":"{\\"label\\":\\"billing\\",\\"confidence\\":0.95}"}',
    ],
    ['behind the repeated schema', `{"properties":{"label":{"type":"string","enum":["bug"]}}}\n${GOOD}`],
    ['in a list of values', '["billing", 0.95]'],
    ['alone with a number', 'billing (0.95)'],
    ['alone with a number behind a bar', 'billing | 95%'],
    ['in lines', '- label: billing\n- confidence: 0.95'],
    ['in YAML', '```yaml\nlabel: billing\nconfidence: 0.95\n```'],
    ['between tags', '<label>billing</label><confidence>0.95</confidence>'],
    [
      'as parameters',
      '<function=f><parameter=label>billing</parameter><parameter=confidence>0.95</parameter></function>',
    ],
    ['as a call of Python', '[classification(label="billing", confidence=0.95)]'],
    ['with semicolons', '{"label":"billing";"confidence":0.95}'],
    ['without its last brace', GOOD.slice(0, -1)],
    ['without its first brace', GOOD.slice(1)],
    ['with escaped quotes', GOOD.replaceAll('"', '\\"')],
    ['after thinking of another kind', `<scratchpad>${DRAFT}</scratchpad>${GOOD}`],
    ['after thinking with a name space', `<seed:think>${DRAFT}</seed:think>${GOOD}`],
    [
      'after thinking between marks',
      `<|START_THINKING|>${DRAFT}<|END_THINKING|><|START_RESPONSE|>${GOOD}<|END_RESPONSE|>`,
    ],
    ['in the last channel', `analysis maybe ${DRAFT} assistantfinal${GOOD}`],
    ['as the final answer', `1. ${DRAFT}? no\n\nFinal answer: ${GOOD}`],
  ])('%s', (_, text) => {
    expect(judge(text)).toMatchObject({ kind: 'answer', value: { label: 'billing' }, confidence: 0.95 });
  });

  it.each([
    'billing<|im_end|>',
    '<|im_start|>assistant\nbilling<|im_end|>',
    '[INST] billing [/INST]',
    'assistant\n\nbilling',
    'Final answer: billing',
    'A: billing',
    '$\\boxed{\\text{billing}}$',
    'billing.\n\nThe text speaks of an invoice.',
    `billing\n\nReasoning: ${'the other categories do not fit, it is about money. '.repeat(5)}`,
    '{"billing": true, "bug": false, "other": false}',
    '{"output":"billing"}',
  ])('says no confidence: %s', (text) => {
    const judgement = judge(text);
    expect(judgement).toMatchObject({ kind: 'answer', value: { label: 'billing' } });
    expect(judgement).not.toHaveProperty('confidence');
  });

  it.each([
    'billing and bug',
    'not billing',
    'billing / bug',
    'billing\nbug',
    'billing: or bug',
    '{"label":"billing or bug","confidence":0.9}',
    '{"label":["billing","bug"],"confidence":0.9}',
    '{"label":["billing","spam"],"confidence":0.9}',
    '{"first":"billing","second":"bug"}',
    '{"billing":0.5,"bug":0.5}',
    '{"billing":false,"bug":false}',
    '{"label":"unknown","reason":"billing"}',
    '{"__proto__":{"label":"billing","confidence":1}}',
    'label: billing\nlabel: bug',
    `${GOOD} ${DRAFT}`,
  ])('is none where two could be meant, or none: %s', (text) => {
    expect(judge(text)).toMatchObject({ kind: 'rejected' });
  });
});
