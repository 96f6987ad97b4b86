/** How a question about an answer begins that goes without its document, because only the form was wrong. */
export const REPAIR_OPENING = 'The document below is an answer that was given to such a question';
