import { z } from 'zod';
import { wholeNumber } from '../../workflows/setting-values.ts';
import type { ChatWorkflow } from '../../workflows/workflow.ts';
import type { TaskOptions } from '../task-options.ts';

const shape = {
  chat: z
    .strictObject({
      maxTokens: wholeNumber()
        .optional()
        .describe("tokens of a reply whose request names no limit; default: the model's most"),
    })
    .optional()
    .describe('chat: each document is a whole chat request'),
};

type Raw = z.infer<z.ZodObject<typeof shape>>;

export const chatOptions = {
  shape,
  resolve: ({ chat }: Raw) => ({
    task: 'chat' as const,
    ...(chat?.maxTokens === undefined ? {} : { chat: { maxTokens: chat.maxTokens } }),
  }),
} satisfies TaskOptions<Pick<ChatWorkflow, 'task' | 'chat'>>;
