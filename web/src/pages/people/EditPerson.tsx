import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { ReachFields } from "./ReachFields";
import { RoleFields } from "./RoleFields";

export function EditPerson({ person, onClose }: { person: Schemas["Person"]; onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const { name } = person;
  const [roles, setRoles] = useState(person.roles);
  const [connectors, setConnectors] = useState<string[] | null>(person.connectors ?? null);
  const edit = api.useMutation("patch", "/people/{name}", {
    onSuccess: () => {
      tell(t("edited", { name }));
      onClose();
    },
  });
  const body = { roles, connectors };
  const refused = edit.error ? Problem.from(edit.error) : undefined;
  return (
    <FormDialog
      title={t("form.editTitle", { name })}
      submit={edit.isPending ? t("form.busy") : t("form.save")}
      busy={edit.isPending}
      ready={roles.length > 0 && connectors?.length !== 0}
      error={edit.error}
      fields={["/roles", "/connectors"]}
      showAs={
        <ShowAs
          cli={[
            "user",
            "edit",
            name,
            ...roles.flatMap((role) => ["--role", role]),
            ...(connectors ? connectors.flatMap((connector) => ["--connector", connector]) : ["--all-connectors"]),
          ]}
          method="PATCH"
          path={`/people/${encodeURIComponent(name)}`}
          body={body}
        />
      }
      onSubmit={() => edit.mutate({ params: { path: { name } }, body })}
      onCancel={onClose}
    >
      <RoleFields roles={roles} onChange={setRoles} refused={refused?.field("/roles")} />
      <ReachFields connectors={connectors} onChange={setConnectors} refused={refused?.field("/connectors")} />
    </FormDialog>
  );
}
