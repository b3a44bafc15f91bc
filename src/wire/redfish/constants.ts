/** Bounds and names that all of Redfish shares (DSP0266, DSP0268). */

/** The service root (DSP0266 §6.2); with the slash, as some services answer the form without it by a redirect. */
export const ROOT = "/redfish/v1/";

/** Bytes of a document: the largest seen (sensor collections expanded) have a few hundred kilobytes. */
export const MOST_BYTES = 4 * 1024 * 1024;
/** Levels of nesting; documents of the standard stay below ten. */
export const MOST_DEPTH = 64;
/** Items of a list that are looked at. */
export const MOST_ITEMS = 512;
/** Characters of a text that are kept. */
export const MOST_TEXT = 1024;
/** Characters of a path; longer ones are no links. */
export const MOST_PATH = 512;
