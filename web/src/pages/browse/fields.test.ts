import { expect, test } from "vitest";
import { longTexts, otherFields, tagsOf } from "./fields";

const document = {
  fields: {
    "System.Title": "A <b>title</b> is never HTML",
    "System.Tags": "one; two;; ",
    "Custom.Notes": "<div>formatted</div>",
    "Custom.Compare": "a < b and c > d",
    "System.Description": "# Heading",
    "Microsoft.VSTS.Common.AcceptanceCriteria": "plain",
    "Microsoft.VSTS.Common.Priority": 2,
    "Custom.Owner": { displayName: "Ada", uniqueName: "ada@contoso.com" },
    "Microsoft.VSTS.TCM.ReproSteps": " ",
  },
  multilineFieldsFormat: { "System.Description": "markdown" },
};

test("formatted texts are told with their format, the usual ones first", () => {
  expect(longTexts(document)).toEqual([
    { field: "System.Description", text: "# Heading", format: "markdown" },
    { field: "Microsoft.VSTS.Common.AcceptanceCriteria", text: "plain", format: "html" },
    { field: "Custom.Notes", text: "<div>formatted</div>", format: "html" },
  ]);
});

test("no field is lost: what is nowhere else in the form is in the table", () => {
  expect(otherFields(document).map(({ field, value }) => [field, value])).toEqual([
    ["Custom.Compare", "a < b and c > d"],
    ["Custom.Owner", "Ada <ada@contoso.com>"],
    ["Microsoft.VSTS.Common.Priority", "2"],
    ["Microsoft.VSTS.TCM.ReproSteps", " "],
  ]);
});

test("tags are told one by one", () => {
  expect(tagsOf(document)).toEqual(["one", "two"]);
  expect(tagsOf(undefined)).toEqual([]);
});
