import { test } from "vitest";
import { desk } from "./support/desk";

const at = desk({ appService: true });

test("sre_24: on App Service its own endpoint gives the machine's identity, for connecting and for the backup", async () => {
  await at.page.goto("/connect/azure-devops");
  await at.field("Organization").fill("contoso");
  await at.method("Managed identity");
  await at.toReview();
  await at.add();
  await at.backUp();
});
