import type { Command } from 'commander';

export const INPUT_ARGUMENT =
  'JSONL, CSV and Parquet files (.jsonl, .csv, .tsv also .gz, .zst), .txt, .md, .html, .pdf, .eml, folders of these, s3://bucket/prefix, or - for JSONL on standard input';

/** Options of all commands that read documents. */
export function addInputOptions(command: Command): Command {
  return command
    .option('--text-field <name>', 'column or field with the text (default: text; in tables also content, body)')
    .option('--id-field <name>', 'column or field with the id (default: id, custom_id; in tables else NAME:ROW)')
    .option('--metadata-fields <names>', 'columns or fields to copy to the results, with commas, or * for all')
    .option('--encoding <name>', 'encoding of text, e.g. windows-1252 (default: UTF-8, or UTF-16 by its mark)')
    .option('--html <auto|article|whole>', 'how much of a web page is read (default: auto, its content)')
    .option('--delimiter <character>', 'of CSV, e.g. "|" or tab (default: what is most frequent in the header)')
    .option('--max-documents <number>', 'refuse an input with more documents');
}
