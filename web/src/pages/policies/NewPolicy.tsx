import { LockClosedRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api } from "../../api/client";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { fresh } from "./draft";
import { Editor } from "./Editor";
import { useMayEdit } from "./editing";
import { Waits, type TheWait, waitOf } from "./Waits";
import "./texts";

/** A new policy; `?connector=contoso` makes one for it. */
export function NewPolicy() {
  const t = useTexts("policies");
  const [{ connector }] = useShown();
  const may = useMayEdit();
  return (
    <Page
      title={connector ? t("editor.newFor", { connector }) : t("editor.new")}
      trail={<TextLink to="/policies">{t("editor.trail")}</TextLink>}
    >
      {may ? (
        <Form connector={connector} />
      ) : (
        <Empty icon={<LockClosedRegular />} title={t("state.forbidden")}>
          {t("state.forbiddenHint")}
        </Empty>
      )}
    </Page>
  );
}

function Form({ connector }: { connector: string | undefined }) {
  const navigate = useNavigate();
  const [initial] = useState(() =>
    fresh(connector ?? "", connector ? [connector] : [], Intl.DateTimeFormat().resolvedOptions().timeZone),
  );
  const [wait, setWait] = useState<TheWait>();
  const [made, setMade] = useState<string>();
  const add = api.useMutation("post", "/policies", {
    onSuccess: (answer) => {
      setWait(waitOf(answer));
      if ("policy" in answer) setMade(answer.policy.name);
    },
  });
  useEffect(() => {
    // After the form has heard that nothing is lost any more.
    if (made !== undefined) void navigate({ to: "/policies/$name", params: { name: made }, search: { saved: "yes" } });
  }, [made, navigate]);
  return (
    <>
      {wait && <Waits wait={wait} />}
      <Editor
        initial={initial}
        busy={add.isPending}
        error={add.error}
        saved={made !== undefined || wait !== undefined}
        onSave={(body) => add.mutate({ body })}
        onTouch={() => {
          if (add.isError) add.reset();
        }}
      />
    </>
  );
}
