"""Every shape in which charts write an image: what is found, and what the edit writes there."""

from __future__ import annotations

import textwrap

import pytest
from support.files import DictFiles

from updater.charts import Survey, Target
from updater.errors import EditRefused
from updater.model import Scope, canonical_repository
from updater.yamledit import show_path

IRIS = "registry.example.com/flowers/iris"
OLD, NEW = "develop-100", "develop-101"
SHA, OTHER_SHA = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FILE = "charts/garden/values.yaml"


def survey_of(values: str, **others: str) -> Survey:
    files = {FILE: values, "charts/garden/Chart.yaml": "name: garden\n"}
    return Survey(DictFiles(files | others))


def targets_of(values: str, repository: str = IRIS) -> tuple[Target, ...]:
    name = canonical_repository(repository)
    assert name is not None
    return survey_of(values).targets(Scope(), name)


def written(values: str, tag: str = NEW, digest: str | None = None, repository: str = IRIS) -> str:
    survey = survey_of(values)
    name = canonical_repository(repository)
    assert name is not None
    targets = survey.targets(Scope(), name)
    assert targets, "nothing found"
    return survey.write(FILE, [(target, tag, digest) for target in targets]).decode()


# name, the values with OLD as the tag, the path of the place
SHAPES = [
    ("repository and tag", f"image:\n  repository: {IRIS}\n  tag: {OLD}\n", "image.tag"),
    ("in the order tag, repository", f"image:\n  tag: {OLD}\n  repository: {IRIS}\n", "image.tag"),
    (
        "under any other key",
        f"longhorn:\n  manager:\n    repository: {IRIS}\n    tag: {OLD}\n",
        "longhorn.manager.tag",
    ),
    ("at the top of the file", f"repository: {IRIS}\ntag: {OLD}\n", "tag"),
    (
        "registry, repository and tag",
        f"image:\n  registry: registry.example.com\n  repository: flowers/iris\n  tag: {OLD}\n",
        "image.tag",
    ),
    (
        "a registry with a path and stray slashes",
        f"image:\n  registry: ' registry.example.com/flowers/ '\n  repository: /iris\n  tag: {OLD}\n",
        "image.tag",
    ),
    (
        "a registry that the repository repeats",
        f"image:\n  registry: registry.example.com\n  repository: {IRIS}\n  tag: {OLD}\n",
        "image.tag",
    ),
    ("an empty registry", f"image:\n  registry: ''\n  repository: {IRIS}\n  tag: {OLD}\n", "image.tag"),
    ("image and version", f"app:\n  image: {IRIS}\n  version: {OLD}\n", "app.version"),
    ("image and tag", f"controller:\n  image: {IRIS}\n  tag: {OLD}\n", "controller.tag"),
    ("image and imageTag", f"image: {IRIS}\nimageTag: {OLD}\n", "imageTag"),
    ("image and image_version", f"image: {IRIS}\nimage_version: {OLD}\n", "image_version"),
    ("imageTag wins over version", f"image: {IRIS}\nversion: 2\nimageTag: {OLD}\n", "imageTag"),
    (
        "sidecarImage and sidecarImageTag",
        f"sidecarImage: {IRIS}\nsidecarImageTag: {OLD}\ntag: x\n",
        "sidecarImageTag",
    ),
    ("sidecarImage and sidecarTag", f"sidecarImage: {IRIS}\nsidecarTag: {OLD}\n", "sidecarTag"),
    (
        "sidecar_image and sidecar_image_version",
        f"a_image: {IRIS}\na_image_version: {OLD}\n",
        "a_image_version",
    ),
    ("imageRepository and imageTag", f"imageRepository: {IRIS}\nimageTag: {OLD}\n", "imageTag"),
    (
        "webImageRepository and webImageTag",
        f"webImageRepository: {IRIS}\nwebImageTag: {OLD}\n",
        "webImageTag",
    ),
    ("webRepository and webTag", f"webRepository: {IRIS}\nwebTag: {OLD}\n", "webTag"),
    ("imageName and imageTag", f"imageName: {IRIS}\nimageTag: {OLD}\n", "imageTag"),
    ("name and tag", f"singleuser:\n  image:\n    name: {IRIS}\n    tag: {OLD}\n", "singleuser.image.tag"),
    ("repo and tag", f"image:\n  repo: {IRIS}\n  tag: {OLD}\n", "image.tag"),
    ("repository and version", f"ui:\n  repository: {IRIS}\n  version: {OLD}\n", "ui.version"),
    (
        "hub, image and tag",
        f"pilot:\n  hub: registry.example.com/flowers\n  image: iris\n  tag: {OLD}\n",
        "pilot.tag",
    ),
    (
        "registry, image and tag",
        f"pilot:\n  registry: registry.example.com/flowers\n  image: iris\n  tag: {OLD}\n",
        "pilot.tag",
    ),
    ("capital keys", f"Image:\n  Repository: {IRIS}\n  Tag: {OLD}\n", "Image.Tag"),
    ("a string", f"image: {IRIS}:{OLD}\n", "image"),
    ("a quoted string", f'image: "{IRIS}:{OLD}"\n', "image"),
    ("a string beside a version of something else", f"image: {IRIS}:{OLD}\nversion: '7'\n", "image"),
    ("a string under a longer key", f"initImage: {IRIS}:{OLD}\n", "initImage"),
    ("a string under repository", f"graylog:\n  repository: {IRIS}:{OLD}\n", "graylog.repository"),
    ("a string in containers", f"containers:\n- name: iris\n  image: {IRIS}:{OLD}\n", "containers.0.image"),
    ("a list of images", f"images:\n  - busybox:1\n  - {IRIS}:{OLD}\n", "images.1"),
    ("a table of images", f"images:\n  init: busybox:1\n  main: {IRIS}:{OLD}\n", "images.main"),
    ("a table of image tags", f"images:\n  tags:\n    main: {IRIS}:{OLD}\n", "images.tags.main"),
    ("a profile list", f"profiles:\n- over:\n    image: {IRIS}:{OLD}\n", "profiles.0.over.image"),
    ("a flow mapping", f"image: {{repository: {IRIS}, tag: {OLD}}}\n", "image.tag"),
    (
        "a key with a dot",
        f"image:\n  '1.21':\n    repository: {IRIS}\n    tag: {OLD}\n",
        '["image", "1.21", "tag"]',
    ),
    ("a second document", f"a: 1\n---\nimage:\n  repository: {IRIS}\n  tag: {OLD}\n", "image.tag"),
    ("a sub-chart's section", f"iris:\n  image:\n    repository: {IRIS}\n    tag: {OLD}\n", "iris.image.tag"),
    (
        "a registry for all images",
        f"global:\n  imageRegistry: registry.example.com\nimage:\n  repository: flowers/iris\n  tag: {OLD}\n",
        "image.tag",
    ),
    (
        "a registry for all images over the place's own",
        f"global:\n  imageRegistry: registry.example.com\n"
        f"image:\n  registry: docker.io\n  repository: flowers/iris\n  tag: {OLD}\n",
        "image.tag",
    ),
    (
        "Rancher's default registry",
        "global:\n  cattle:\n    systemDefaultRegistry: registry.example.com\n"
        f"image:\n  repository: flowers/iris\n  tag: {OLD}\n",
        "image.tag",
    ),
    (
        "a host of its own beside a registry for all images",
        f"global:\n  imageRegistry: other.example.com\nimage:\n  repository: {IRIS}\n  tag: {OLD}\n",
        "image.tag",
    ),
]


@pytest.mark.parametrize(
    ("values", "path"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
def test_each_shape_is_found_and_written_in_place(values: str, path: str) -> None:
    (target,) = targets_of(values)
    assert (target.repository, target.tag, target.problem) == (IRIS, OLD, "")
    assert show_path(target.path) == path
    assert OLD in values.splitlines()[target.line - 1]
    assert target.chart == "garden"
    after = written(values)
    assert after.replace('"', "") == values.replace(OLD, NEW).replace('"', "")


MISSING = [
    (
        "an empty tag",
        f"image:\n  repository: {IRIS}\n  tag:\n",
        f"image:\n  repository: {IRIS}\n  tag: {NEW}\n",
    ),
    (
        "a tag of nothing",
        f'image:\n  repository: {IRIS}\n  tag: ""\n',
        f'image:\n  repository: {IRIS}\n  tag: "{NEW}"\n',
    ),
    (
        "a null tag",
        f"image:\n  repository: {IRIS}\n  tag: ~\n",
        f"image:\n  repository: {IRIS}\n  tag: {NEW}\n",
    ),
    (
        "no tag key",
        f"image:\n  repository: {IRIS}\n  x: 1\n",
        f"image:\n  repository: {IRIS}\n  tag: {NEW}\n  x: 1\n",
    ),
    ("no imageTag key", f"imageRepository: {IRIS}\n", f"imageRepository: {IRIS}\nimageTag: {NEW}\n"),
    ("no image_tag key", f"image_repository: {IRIS}\n", f"image_repository: {IRIS}\nimage_tag: {NEW}\n"),
    ("a name without a tag", f"image:\n  name: {IRIS}\n", f"image:\n  name: {IRIS}\n  tag: {NEW}\n"),
    ("a string without a tag", f"image: {IRIS}\n", f"image: {IRIS}:{NEW}\n"),
]


@pytest.mark.parametrize(("values", "after"), [one[1:] for one in MISSING], ids=[one[0] for one in MISSING])
def test_an_empty_or_missing_tag_is_a_place_and_gets_one(values: str, after: str) -> None:
    (target,) = targets_of(values)
    assert (target.tag, target.problem) == (None, "")
    assert written(values) == after


# name, values, digest found there, what is written with a digest, what without one once it is cleared
DIGESTS = [
    (
        "inside the string",
        f"image: {IRIS}:{OLD}@{SHA}\n",
        SHA,
        f"image: {IRIS}:{NEW}@{OTHER_SHA}\n",
        f"image: {IRIS}:{NEW}\n",
    ),
    (
        "instead of the tag",
        f"image: {IRIS}@{SHA}\n",
        SHA,
        f"image: {IRIS}:{NEW}@{OTHER_SHA}\n",
        f"image: {IRIS}:{NEW}\n",
    ),
    (
        "inside the tag",
        f"image:\n  repository: {IRIS}\n  tag: {OLD}@{SHA}\n",
        SHA,
        f"image:\n  repository: {IRIS}\n  tag: {NEW}@{OTHER_SHA}\n",
        f"image:\n  repository: {IRIS}\n  tag: {NEW}\n",
    ),
    (
        "under its own key",
        f"image:\n  repository: {IRIS}\n  tag: {OLD}\n  digest: {SHA}\n",
        SHA,
        f"image:\n  repository: {IRIS}\n  tag: {NEW}\n  digest: {OTHER_SHA}\n",
        f'image:\n  repository: {IRIS}\n  tag: {NEW}\n  digest: ""\n',
    ),
    (
        "under its own empty key",
        f'image:\n  repository: {IRIS}\n  tag: {OLD}\n  digest: ""\n',
        "",
        f'image:\n  repository: {IRIS}\n  tag: {NEW}\n  digest: "{OTHER_SHA}"\n',
        f'image:\n  repository: {IRIS}\n  tag: {NEW}\n  digest: ""\n',
    ),
    (
        "as bare digits under sha",
        f'image:\n  repository: {IRIS}\n  tag: {OLD}\n  sha: "{"a" * 64}"\n',
        SHA,
        f'image:\n  repository: {IRIS}\n  tag: {NEW}\n  sha: "{"b" * 64}"\n',
        f'image:\n  repository: {IRIS}\n  tag: {NEW}\n  sha: ""\n',
    ),
    (
        "under an empty imageDigest",
        f"image: {IRIS}\nimageTag: {OLD}\nimageDigest: ''\n",
        "",
        f"image: {IRIS}\nimageTag: {NEW}\nimageDigest: '{OTHER_SHA}'\n",
        f"image: {IRIS}\nimageTag: {NEW}\nimageDigest: ''\n",
    ),
]


@pytest.mark.parametrize(
    ("values", "digest", "with_digest", "cleared"),
    [one[1:] for one in DIGESTS],
    ids=[one[0] for one in DIGESTS],
)
def test_a_digest_is_written_where_the_place_has_one(
    values: str, digest: str, with_digest: str, cleared: str
) -> None:
    (target,) = targets_of(values)
    assert target.digest == digest
    assert written(values, digest=OTHER_SHA) == with_digest
    assert written(values, digest="") == cleared


def test_a_place_without_room_for_a_digest_gets_the_tag_alone() -> None:
    values = f"image:\n  repository: {IRIS}\n  tag: {OLD}\n"
    assert targets_of(values)[0].digest is None
    assert written(values, digest=SHA) == values.replace(OLD, NEW)


def test_a_new_tag_is_never_written_beside_an_old_digest() -> None:
    with pytest.raises(EditRefused, match=rf"^{FILE}:1: the digest {SHA} stands beside the tag"):
        written(f"image: {IRIS}:{OLD}@{SHA}\n")


def test_a_git_commit_under_sha_is_no_digest() -> None:
    values = f"app:\n  image: {IRIS}\n  tag: {OLD}\n  sha: {'c' * 40}\n"
    assert targets_of(values)[0].digest is None
    assert written(values, digest=SHA) == values.replace(OLD, NEW)


def test_the_same_tag_again_changes_no_byte() -> None:
    for _, values, _ in SHAPES:
        assert written(values, tag=OLD) == values


STRANGERS = {
    "a longer name": f"image:\n  repository: {IRIS}-admin\n  tag: x\n",
    "a longer name in a string": f"image: {IRIS}-admin:x\n",
    "another registry": "image:\n  repository: other.example.com/flowers/iris\n  tag: x\n",
    "another port": "image:\n  repository: registry.example.com:5000/flowers/iris\n  tag: x\n",
    "a deeper path": f"image:\n  repository: my.{IRIS}\n  tag: x\n",
    "a name further in": "image:\n  repository: registry.example.com/a/flowers/iris\n  tag: x\n",
    "another registry for all": "global: {hub: other.example.com}\nimage: flowers/iris:x\n",
    "another registry beside": "image: {registry: other.example.com, repository: flowers/iris, tag: x}\n",
    "a web address": f"home: https://{IRIS}:x\nsources:\n  image: https://{IRIS}\n",
    "a comment": f"# image:\n#   repository: {IRIS}\n#   tag: x\na: 1 # image: {IRIS}:x\n",
    "a block of text": f"notes: |\n  image:\n    repository: {IRIS}\n    tag: x\n",
    "a template in a string": f'image: "{{{{ .Values.registry }}}}/{IRIS}:x"\n',
    "an environment variable": f"env:\n- name: PEER\n  value: {IRIS}:x\n",
    "a name without a tag": f"job:\n  name: {IRIS}\n",
    "a chart's repository": f"chartRepository: {IRIS}\n",
}


@pytest.mark.parametrize("values", STRANGERS.values(), ids=STRANGERS.keys())
def test_what_is_not_this_image_is_left_alone(values: str) -> None:
    assert targets_of(values) == ()


@pytest.mark.parametrize(
    "written_as", ["nginx", "docker.io/nginx", "library/nginx", "index.docker.io/library/nginx"]
)
def test_docker_hubs_short_names_are_one_repository(written_as: str) -> None:
    (target,) = targets_of(f"image:\n  repository: {written_as}\n  tag: '1'\n", "nginx")
    assert target.repository == "docker.io/library/nginx"


def test_a_port_is_no_tag() -> None:
    (target,) = targets_of("image: registry.example.com:5000/iris\n", "registry.example.com:5000/iris")
    assert target.tag is None


def test_numbers_are_read_as_they_are_written() -> None:
    (target,) = targets_of(f"image:\n  repository: {IRIS}\n  tag: 1.10\n")
    assert target.tag == "1.10"


def test_a_number_like_tag_is_quoted() -> None:
    assert written(f"image:\n  repository: {IRIS}\n  tag: {OLD}\n", tag="1.20").endswith('  tag: "1.20"\n')


def test_several_places_of_one_image_are_all_found_in_line_order() -> None:
    values = f"""\
        main:
          image: {IRIS}:{OLD}
        sidecar:
          image: {{repository: {IRIS}, tag: {OLD}}}
        containers:
          - image: {IRIS}:other
        """
    found = targets_of(textwrap.dedent(values))
    assert [(one.line, one.tag) for one in found] == [(2, OLD), (4, OLD), (6, "other")]


UNSAFE = {
    "a tag in the string and beside it": (
        f"image: {IRIS}:{OLD}\ntag: {OLD}\n",
        "image carries a tag or digest itself, and tag stands beside it",
    ),
    "two repositories for one tag": (
        f"app:\n  repository: {IRIS}\n  image: registry.example.com/flowers/rose\n  tag: {OLD}\n",
        "this value is also the tag of registry.example.com/flowers/rose at line 4",
    ),
    "a tag that is a mapping": (
        f"image:\n  repository: {IRIS}\n  tag: {{a: b}}\n",
        "tag is not a single value",
    ),
    "a tag written twice": (
        f"image:\n  repository: {IRIS}\n  tag: a\n  tag: b\n",
        "the key tag stands twice, at lines 3 and 4",
    ),
    "a section written twice": (
        f"image:\n  repository: {IRIS}\n  tag: a\nx: 1\nimage:\n  pullPolicy: Always\n",
        "the key image stands twice, at lines 1 and 5",
    ),
    "a tag for all images": (
        "global:\n  hub: registry.example.com/flowers\n  tag: x\niris:\n  image: iris\n",
        "global.tag is set and may be the one in use",
    ),
}


@pytest.mark.parametrize(("values", "problem"), UNSAFE.values(), ids=UNSAFE.keys())
def test_what_is_unsure_is_named_and_never_written(values: str, problem: str) -> None:
    targets = targets_of(values)
    assert targets
    assert all(problem in target.problem for target in targets)
    with pytest.raises(EditRefused, match=FILE):
        written(values)


def test_duplicate_keys_elsewhere_do_not_matter() -> None:
    values = f"a: 1\na: 2\nimage:\n  repository: {IRIS}\n  tag: {OLD}\n"
    assert written(values) == values.replace(OLD, NEW)


def test_a_value_over_two_lines_is_refused_when_it_is_written() -> None:
    with pytest.raises(EditRefused, match=FILE):
        written(f"image:\n  repository: {IRIS}\n  tag: |\n    a\n    b\n")
