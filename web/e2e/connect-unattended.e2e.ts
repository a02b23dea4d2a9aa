import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeCertificate } from "./support/certificate";
import { desk } from "./support/desk";

const at = desk();

/** The first page of the wizard, as far as the way to sign in. */
async function begin(method: string, organization = "contoso") {
  await at.page.goto("/connect/azure-devops");
  await at.field("Organization").fill(organization);
  await at.method(method);
}

/** Which app, of which tenant. */
async function app(tenant = at.world.simulator.tenant) {
  await at.field("Client id").fill(at.world.simulator.client_id);
  await at.field("Tenant id").fill(tenant);
}

async function expectConnected(method: string, organization = "contoso") {
  const found = await at.connectors();
  expect(found.map((one) => [one.organization, one.method, one.status.state])).toEqual([[organization, method, "connected"]]);
}

describe("an app of one's own", () => {
  test("sre_24 sre_25 xa_05: signs in with its client secret, through the checks to the first backup", async () => {
    const { page, person, world } = at;
    await begin("App with a client secret");
    await app();
    await at.field("Client secret").fill(world.simulator.client_secret);
    await person.expectAccessible();
    await at.toReview();
    expect(await at.connectors()).toEqual([]);
    await at.add();
    expect(await page.content()).not.toContain(world.simulator.client_secret);
    await expectConnected("client-secret");
    await at.backUp();
  });

  test("a secret that is not the app's is refused in words, and saves nothing", async () => {
    await begin("App with a client secret");
    await app();
    await at.field("Client secret").fill("its-id-instead-of-its-value");
    await at.button("Next").click();
    await at.page.getByText("The client secret is wrong or expired").first().waitFor();
    expect(await at.button("Next").isDisabled()).toBe(true);
    expect(await at.connectors()).toEqual([]);
  });

  test("signs in with a certificate that is pasted, and keeps it in the Password Manager", async () => {
    const { certificate, key } = makeCertificate();
    await at.world.simulate("/__entra/certificates", { client: at.world.simulator.client_id, certificate });
    await begin("App with a certificate");
    await app();
    await at.field("Certificate and private key").fill(`${certificate}${key}`);
    await at.field("Keep in the Password Manager as").fill("contoso backup");
    await at.toReview();
    await at.add();
    expect(await at.page.content()).not.toContain("PRIVATE KEY");
    await expectConnected("certificate");
    await at.backUp();
    await at.page.goto("/vault");
    await at.page.getByRole("row", { name: /contoso backup.*Certificate of an app/ }).waitFor();
  });

  test("signs in with a certificate and a key that are files", async () => {
    const { certificate, key } = makeCertificate();
    await at.world.simulate("/__entra/certificates", { client: at.world.simulator.client_id, certificate });
    await begin("App with a certificate");
    await app();
    const files = [
      { name: "keepward.crt", mimeType: "application/x-pem-file", buffer: Buffer.from(certificate) },
      { name: "keepward.key", mimeType: "application/x-pem-file", buffer: Buffer.from(key) },
    ];
    const [chooser] = await Promise.all([at.page.waitForEvent("filechooser"), at.button("Choose files").click()]);
    await chooser.setFiles(files);
    await at.toReview();
    await at.add();
    await expectConnected("certificate");
  });

  test("signs in with a token that the platform keeps in a file", async () => {
    const { world } = at;
    const platform = { issuer: "https://kubernetes.example", subject: "system:serviceaccount:backup:keepward" };
    await world.simulate("/__entra/federations", { client: world.simulator.client_id, ...platform });
    const { token } = (await world.simulate("/__entra/workload-tokens", platform)) as { token: string };
    const file = join(world.folder, "platform-token");
    await writeFile(file, token);
    await begin("Workload identity");
    await app();
    await at.field("Token file").fill(file);
    await at.toReview();
    await at.add();
    await expectConnected("workload-identity");
    await at.backUp();
  });
});

describe("the identity of the machine", () => {
  test.each(["System-assigned", "User-assigned: backup-identity"])("sre_14 sre_22 sre_24: %s, chosen from those that there are, and nobody signs in", async (title) => {
    await begin("Managed identity");
    await at.page.getByText("Nobody has to sign in, now or at any later run.").waitFor();
    await at.choose("Managed identity", title);
    await at.toReview();
    await at.add();
    await expectConnected("managed-identity");
    await at.backUp();
  });

  test("sre_23: an organization of another tenant, whose app trusts the identity", async () => {
    const { page, world } = at;
    const tenant = "fabrikam.onmicrosoft.com";
    await world.simulate("/__organizations", { name: "fabrikam", tenant });
    await world.simulate("/__entra/consents", { client: world.simulator.client_id, tenant });
    await world.simulate("/__access", { organization: "fabrikam", application: world.simulator.client_id });
    await begin("Managed identity", "fabrikam");
    // One without the other is refused before anything is sent.
    await at.field("Client id").fill(world.simulator.client_id);
    await page.getByText("Client id and tenant id go together: give both, or neither.").waitFor();
    await at.button("Next").click();
    await at.at("Connection");
    await app(tenant);
    await at.choose("Managed identity", "User-assigned: backup-identity");
    await at.toReview();
    await at.add();
    await expectConnected("federated-identity", "fabrikam");
    await at.backUp();
  });

  test("sre_23: the federated identity is a way of its own, which needs both", async () => {
    await begin("Federated identity (another tenant)");
    await at.button("Next").click();
    expect(await at.page.getByText("This is needed.", { exact: true }).count()).toBe(2);
    await app();
    await at.toReview();
    await at.add();
    await expectConnected("federated-identity");
  });
});
