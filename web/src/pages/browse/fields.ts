import { type Document, inWords, isDocument } from "./records";
import { fieldName } from "./revisions";

/** A long text of a work item and how it is written. */
interface LongText {
  field: string;
  text: string;
  format: "html" | "markdown";
}

const LONG = ["System.Description", "Microsoft.VSTS.TCM.ReproSteps", "Microsoft.VSTS.Common.AcceptanceCriteria", "Microsoft.VSTS.TCM.SystemInfo", "Microsoft.VSTS.Common.Resolution"];
/** In the head of the form. */
const HEAD = new Set([
  "System.Title",
  "System.State",
  "System.Reason",
  "System.AssignedTo",
  "System.AreaPath",
  "System.IterationPath",
  "System.Tags",
  "System.WorkItemType",
  "System.TeamProject",
  "System.CreatedDate",
  "System.CreatedBy",
  "System.ChangedDate",
  "System.ChangedBy",
  // The last comment, which the discussion has.
  "System.History",
]);
const TAGGED = /<(?:div|p|br|ul|ol|li|span|b|i|a|img|table|h[1-6]|pre)\b[^>]*>/i;

export function fieldsOf(document: Document | undefined): Document {
  const fields = document?.["fields"];
  return isDocument(fields) ? fields : {};
}

function isLong(field: string, value: unknown, formats: Document): value is string {
  return typeof value === "string" && value.trim() !== "" && (field in formats || LONG.includes(field) || TAGGED.test(value));
}

/** The texts of a work item that people formatted: those that every process has first. */
export function longTexts(document: Document | undefined): LongText[] {
  const fields = fieldsOf(document);
  const formats = isDocument(document?.["multilineFieldsFormat"]) ? document["multilineFieldsFormat"] : {};
  const place = (field: string) => (LONG.includes(field) ? LONG.indexOf(field) : LONG.length);
  return Object.entries(fields)
    .flatMap(([field, value]): LongText[] => {
      if (HEAD.has(field) || !isLong(field, value, formats)) return [];
      return [{ field, text: value, format: String(formats[field]).toLowerCase() === "markdown" ? "markdown" : "html" }];
    })
    .toSorted((one, other) => place(one.field) - place(other.field) || one.field.localeCompare(other.field));
}

/** All fields that the form shows nowhere else, by their names for people. */
export function otherFields(document: Document | undefined): { field: string; name: string; value: string }[] {
  const long = new Set(longTexts(document).map(({ field }) => field));
  return Object.entries(fieldsOf(document))
    .filter(([field]) => !HEAD.has(field) && !long.has(field))
    .map(([field, value]) => ({ field, name: fieldName(field), value: inWords(value) }))
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

export function tagsOf(document: Document | undefined): string[] {
  const tags = fieldsOf(document)["System.Tags"];
  return typeof tags === "string" ? tags.split(";").map((tag) => tag.trim()).filter((tag) => tag !== "") : [];
}
