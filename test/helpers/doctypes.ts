/** What may be before a page, each read as the same page. */
export const DOCTYPES = [
  '',
  '<!doctype html>',
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
  '<?xml version="1.0"?><!DOCTYPE html SYSTEM "about:legacy-compat">',
  '<!-- a comment before --><!doctype html>',
];

/** The same page with other doctypes, and without the tags that may be left out. */
export function variantsOf(page: string): readonly string[] {
  const bare = page.replace(/^<!doctype html>/i, '');
  const short = bare.replaceAll(/<\/?(?:html|head|body)>|<\/(?:p|li|td|tr|dt|dd)>/g, '');
  return [...DOCTYPES.map((doctype) => doctype + bare), ...DOCTYPES.map((doctype) => doctype + short)];
}
