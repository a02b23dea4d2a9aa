import { type Document, inWords, isDocument, personOf, textAt } from "./records";

/** A field that a revision changed. */
export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

/** What one revision did. */
export interface Change {
  revision: number;
  at?: string;
  by?: string;
  comment?: string;
  fields: FieldChange[];
}

/** Fields that the service changes with each revision, or that follow from others. */
const FOLLOWS =
  /^System\.(?:Id|Rev|Watermark|RevisedDate|AuthorizedDate|AuthorizedAs|ChangedDate|ChangedBy|PersonId|History|AreaId|IterationId|NodeName|AreaLevel\d+|IterationLevel\d+|RelatedLinkCount|ExternalLinkCount|HyperLinkCount|AttachedFileCount|RemoteLinkCount|CommentCount|BoardColumn|BoardColumnDone|BoardLane)$|^Microsoft\.VSTS\.Common\.StateChangeDate$|^WEF_[0-9A-F]{32}_/;

function fieldsOf(revision: Document): Document {
  const { fields } = revision;
  return isDocument(fields) ? fields : {};
}

/** Two values of a document, whatever the order of their members. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  }
  if (!isDocument(one) || !isDocument(other)) return false;
  // A person's picture and addresses change with the service, not with the field.
  const [person, another] = [personOf(one), personOf(other)];
  if (person?.account && another?.account) return person.account === another.account && person.name === another.name;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]));
}

/** What differs between the fields of two documents, by name. */
export function changedFields(before: Document, after: Document): FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((field) => !FOLLOWS.test(field) && !isSame(before[field], after[field]))
    .toSorted()
    .map((field) => ({ field, before: before[field], after: after[field] }));
}

/** The history of a work item from its stored revisions, the newest first. */
export function historyOf(revisions: Document[]): Change[] {
  const ordered = revisions.toSorted((one, other) => Number(one["rev"]) - Number(other["rev"]));
  let before: Document = {};
  const changes = ordered.map((revision): Change => {
    const fields = fieldsOf(revision);
    const change: Change = { revision: Number(revision["rev"]), fields: changedFields(before, fields) };
    const [at, by, comment] = [textAt(fields, "/System.ChangedDate"), inWords(fields["System.ChangedBy"]), textAt(fields, "/System.History")];
    if (at !== undefined) change.at = at;
    if (by) change.by = by;
    if (comment) change.comment = comment;
    before = fields;
    return change;
  });
  return changes.toReversed();
}

const NAMES: Record<string, string> = {
  "System.Title": "Title",
  "System.State": "State",
  "System.Reason": "Reason",
  "System.AssignedTo": "Assigned to",
  "System.AreaPath": "Area",
  "System.IterationPath": "Iteration",
  "System.Tags": "Tags",
  "System.TeamProject": "Project",
  "System.WorkItemType": "Type",
  "System.CreatedBy": "Created by",
  "System.CreatedDate": "Created",
  "System.ChangedBy": "Changed by",
  "System.ChangedDate": "Changed",
  "Microsoft.VSTS.TCM.ReproSteps": "Repro steps",
};

/** A field as people know it: `Microsoft.VSTS.Common.AcceptanceCriteria` is `Acceptance criteria`. */
export function fieldName(field: string): string {
  const known = NAMES[field];
  if (known) return known;
  const last = field.split(".").at(-1) ?? field;
  const words = last.replaceAll(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ");
  return words.slice(0, 1).toUpperCase() + words.slice(1).replaceAll(/ ([A-Z])(?=[a-z])/g, (_, letter: string) => ` ${letter.toLowerCase()}`);
}
