import type { Step } from "./machine";

/** A kind of connector that can be added: what the form asks for first, and how somebody may sign in. */
export interface Kind {
  /** In addresses: `/connect/azure-devops`. Its texts are `kind.NAME.title` and so on. */
  name: string;
  service: "azure-devops" | "microsoft-365";
  /** How the source is named: an organization, the address of a repository or wiki, a server's collection, a tenant. */
  place: "organization" | "part" | "collection" | "tenant";
  /** The methods that it offers; all of the service when absent. */
  methods?: readonly string[];
  steps: readonly Step[];
}

export const KINDS: readonly Kind[] = [
  {
    name: "azure-devops",
    service: "azure-devops",
    place: "organization",
    steps: ["connection", "organizations", "settings", "review"],
  },
  {
    name: "documentation",
    service: "azure-devops",
    place: "part",
    methods: ["pat"],
    steps: ["connection", "review"],
  },
  {
    name: "azure-devops-server",
    service: "azure-devops",
    place: "collection",
    methods: ["pat"],
    steps: ["connection", "settings", "review"],
  },
  {
    name: "microsoft-365",
    service: "microsoft-365",
    place: "tenant",
    steps: ["connection", "organizations", "settings", "review"],
  },
];

export function kindOf(name: string): Kind | undefined {
  return KINDS.find((kind) => kind.name === name);
}

export const IDENTITIES_PAGE =
  "https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview";
