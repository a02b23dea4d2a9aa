import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { cliOf, editOf } from "./edit";
import { ReachFields } from "./ReachFields";
import { RoleFields } from "./RoleFields";

export function EditPerson({ person, onClose }: { person: Schemas["Person"]; onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const { name } = person;
  // What the form began with: a change by somebody else is not undone by it.
  const [before] = useState(person);
  const [roles, setRoles] = useState(person.roles);
  const [connectors, setConnectors] = useState<string[] | null>(person.connectors ?? null);
  const edit = api.useMutation("patch", "/people/{name}", {
    onSuccess: () => {
      tell(t("edited", { name }));
      onClose();
    },
  });
  const body = editOf(before, roles, connectors);
  const changed = Object.keys(body).length > 0;
  const refused = edit.error ? Problem.from(edit.error) : undefined;
  return (
    <FormDialog
      title={t("form.editTitle", { name })}
      submit={edit.isPending ? t("form.busy") : t("form.save")}
      busy={edit.isPending}
      ready={changed && roles.length > 0 && connectors?.length !== 0}
      error={edit.error}
      fields={["/roles", "/connectors"]}
      showAs={
        <ShowAs
          ready={roles.length > 0 && connectors?.length !== 0}
          {...(changed && { cli: cliOf(name, body) })}
          method="PATCH"
          path={`/people/${encodeURIComponent(name)}`}
          body={body}
        />
      }
      onSubmit={() => edit.mutate({ params: { path: { name } }, body: { ...body, version: before.version } })}
      onCancel={onClose}
    >
      <RoleFields roles={roles} onChange={setRoles} refused={refused?.field("/roles")} />
      <ReachFields connectors={connectors} onChange={setConnectors} refused={refused?.field("/connectors")} />
    </FormDialog>
  );
}
