import type { WorkflowSpec } from '../workflows/workflow.ts';
import { chatTask } from './chat/chat-task.ts';
import { classifyTask } from './classify/classify-task.ts';
import { extractTask } from './extract/extract-task.ts';
import { type DocumentWindows, documentWindows, type SmallerWindows } from './long-documents/document-windows.ts';
import { summarizeTask } from './summarize/summarize-task.ts';
import type { Task } from './task.ts';

/** The task of a workflow by its name: the one place that knows which tasks there are. */
export const TASKS = {
  chat: chatTask,
  classify: classifyTask,
  extract: extractTask,
  summarize: summarizeTask,
} satisfies { readonly [K in WorkflowSpec['task']]: Task<Extract<WorkflowSpec, { task: K }>> };

export type TaskName = keyof typeof TASKS;

export const TASK_NAMES = Object.keys(TASKS) as TaskName[];

/** The settings of all tasks, for the schema of a workflow. */
export const TASK_SETTINGS = {
  ...chatTask.options.shape,
  ...classifyTask.options.shape,
  ...extractTask.options.shape,
  ...summarizeTask.options.shape,
};

export function taskOf<W extends WorkflowSpec>(workflow: W): Task<W> {
  return TASKS[workflow.task] as unknown as Task<W>;
}

/** How much text the calls of a workflow may hold. */
export function windowsOf(workflow: WorkflowSpec, smaller?: SmallerWindows): DocumentWindows {
  return documentWindows(workflow, taskOf(workflow).prompts, smaller);
}
