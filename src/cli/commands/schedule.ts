import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { scheduleJson, slotJson } from '../../operations/schedules/schedule-json.ts';
import { listSchedules, pauseSchedule, resumeSchedule, runScheduleNow } from '../../operations/schedules/schedules.ts';
import { nextText, schedulesText, slotText } from '../format-schedules.ts';
import { print, withApp } from '../with-app.ts';

export function addScheduleCommand(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('nights that come by themselves: list, next, run, pause, resume');
  const list = schedule
    .command('list')
    .description('every schedule: its last and next slot, what was missed and why')
    .action(async () => {
      await withApp(list, async (app, options) => {
        const views = (await listSchedules(app)).map(scheduleJson);
        print(options, views, () => schedulesText(views));
      });
    });
  const next = schedule
    .command('next')
    .description('the next slots of all schedules, and the ids that their batches will have')
    .option('-n <number>', 'how many', '5')
    .action(async (flags: { n: string }) => {
      const count = readCount(flags.n);
      await withApp(next, async (app, options) => {
        const views = (await listSchedules(app, count)).map(scheduleJson);
        const slots = views.flatMap(({ name, timezone, next: coming }) =>
          coming.map((each) => ({ schedule: name, timezone, ...each })),
        );
        slots.sort((a, b) => a.slot.localeCompare(b.slot));
        print(options, slots.slice(0, count), () => nextText(views, count));
      });
    });
  addActs(schedule);
}

function addActs(schedule: Command): void {
  const run = schedule
    .command('run')
    .description('take what is in the inbox now, as the slot of this minute; its batch is worked on by workers')
    .argument('<name>', 'the workflow that has the schedule')
    .action(async (name: string) => {
      await withApp(run, async (app, options) => {
        const record = slotJson(await runScheduleNow(app, name));
        print(options, record, () => `${name}  ${slotText(record)}\n`);
      });
    });
  const pause = schedule
    .command('pause')
    .description('from now on its slots pass without a run; batches that are there continue')
    .argument('<name>')
    .action(async (name: string) => {
      await withApp(pause, async (app, options) => {
        const changed = await pauseSchedule(app, name);
        print(options, { name, state: 'paused', changed }, () =>
          changed
            ? `${name} takes no files until: nightmill schedule resume ${name}\n`
            : `${name} was paused already; to resume: nightmill schedule resume ${name}\n`,
        );
      });
    });
  const resume = schedule
    .command('resume')
    .description('run its slots again, from the next one on')
    .argument('<name>')
    .action(async (name: string) => {
      await withApp(resume, async (app, options) => {
        const changed = await resumeSchedule(app, name);
        print(options, { name, state: 'on', changed }, () => `${name} ${changed ? 'runs again' : 'was not paused'}\n`);
      });
    });
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new NightmillError('usage', `Cannot use ${JSON.stringify(text)} as -n: use a whole number from 1 to 1000.`);
}
