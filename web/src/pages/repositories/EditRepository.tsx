import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { LockFields, type Lock } from "./LockFields";
import { complete, format, parse, type Place } from "./location";
import { type Opener, openerComplete, OpenerFields, openerOf } from "./OpenerFields";
import { PlaceFields } from "./PlaceFields";
import { type Repository } from "./Standing";

const SHOWN = ["/location", "/credential", "/credential_secret", "/object_lock/days"];

/** Changes how a repository is reached; the server looks there before it takes it. */
export function EditRepository({ repository, onClose }: { repository: Repository; onClose: () => void }) {
  const t = useTexts("repositories");
  const tell = useTell();
  const { name, credential } = repository;
  const [place, setPlace] = useState<Place>(() => parse(repository.location));
  const [opener, setOpener] = useState<Opener>({ by: credential ? "keep" : "machine" });
  const [lock, setLock] = useState<Lock | null>(repository.object_lock ?? null);
  const [version] = useState(repository.version);
  const edit = api.useMutation("put", "/repositories/{name}", {
    onSuccess: () => {
      tell(t("edited", { name }));
      onClose();
    },
  });
  const { storage } = place;
  const body: Schemas["EditRepository"] = {
    location: format(place),
    ...(storage !== "folder" && openerOf(opener, credential)),
    ...(storage !== "folder" && lock && { object_lock: lock }),
  };
  // A command that is kept for later sets it whatever its version.
  const shown = { ...body, ...(body.credential_secret && { credential_secret: "SECRET" }) };
  const refused = edit.error ? Problem.from(edit.error) : undefined;
  return (
    <FormDialog
      title={t("form.editTitle", { name })}
      submit={edit.isPending ? t("form.busy") : t("form.save")}
      busy={edit.isPending}
      ready={complete(place) && (storage === "folder" || openerComplete(opener))}
      error={edit.error}
      fields={SHOWN}
      showAs={<ShowAs method="PUT" path={`/repositories/${encodeURIComponent(name)}`} body={shown} />}
      onSubmit={() => edit.mutate({ params: { path: { name } }, body: { ...body, version } })}
      onCancel={onClose}
    >
      <PlaceFields place={place} onChange={setPlace} refused={refused?.field("/location")} />
      {storage !== "folder" && (
        <>
          <OpenerFields
            storage={storage}
            opener={opener}
            onChange={setOpener}
            known={Boolean(credential)}
            refused={{ credential: refused?.field("/credential"), secret: refused?.field("/credential_secret") }}
          />
          <LockFields lock={lock} onChange={setLock} refused={refused?.field("/object_lock/days")} />
        </>
      )}
    </FormDialog>
  );
}
