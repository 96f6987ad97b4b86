import { z } from 'zod';
import { usdToNano } from '../money/money.ts';

/** Kinds of values that several settings have. */

/** Characters of what a workflow or a tier adds to its prompt. */
export const MAX_INSTRUCTION_LENGTH = 20_000;

export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** `${NAME}` turns into text, so numbers are accepted as text too. */
export const number = () =>
  z
    .union([
      z.number(),
      z
        .string()
        .regex(/^-?\d+(\.\d+)?$/)
        .transform(Number),
    ])
    .pipe(z.number());
export const wholeNumber = (most = Number.MAX_SAFE_INTEGER) => number().pipe(z.number().int().positive().max(most));
export const fraction = () => number().pipe(z.number().min(0).max(1));
export const temperature = () => number().pipe(z.number().min(0).max(2));

/** Dollars as people write them, at most nine decimals; held as integer nano-dollars inside. */
export const usd = () =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    try {
      return usdToNano(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as RangeError).message });
      return z.NEVER;
    }
  });

export const url = () =>
  z.string().refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    error: (issue) => `must be an http:// or https:// URL; it is ${JSON.stringify(issue.input)}`,
  });

export const named = <T extends z.ZodType>(value: T) =>
  z.record(
    z.string().regex(NAME, 'a name has letters, digits, - and _, at most 64, and starts with a letter or digit'),
    value,
  );
