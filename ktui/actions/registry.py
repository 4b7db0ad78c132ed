"""All actions, in the order of menus. A new one is a file of this folder and a line here."""

from __future__ import annotations

from ktui.actions.action import Action
from ktui.actions.annotate import ANNOTATE
from ktui.actions.cordon import CORDON, UNCORDON
from ktui.actions.create_configmap import CREATE_CONFIGMAP
from ktui.actions.create_deployment import CREATE_DEPLOYMENT
from ktui.actions.create_from_yaml import CREATE_FROM_YAML
from ktui.actions.create_job import CREATE_JOB
from ktui.actions.create_namespace import CREATE_NAMESPACE
from ktui.actions.create_secret import CREATE_SECRET
from ktui.actions.create_service import CREATE_SERVICE
from ktui.actions.delete import DELETE
from ktui.actions.drain import DRAIN
from ktui.actions.evict import EVICT
from ktui.actions.expose import EXPOSE
from ktui.actions.label import LABEL
from ktui.actions.rollout_history import ROLLOUT_HISTORY
from ktui.actions.rollout_pause import PAUSE, RESUME
from ktui.actions.rollout_restart import RESTART
from ktui.actions.rollout_status import ROLLOUT_STATUS
from ktui.actions.rollout_undo import ROLLOUT_UNDO
from ktui.actions.run_now import RUN_NOW
from ktui.actions.scale import SCALE
from ktui.actions.set_env import SET_ENV
from ktui.actions.set_image import SET_IMAGE
from ktui.actions.set_resources import SET_RESOURCES
from ktui.actions.suspend import RESUME as RESUME_JOBS
from ktui.actions.suspend import SUSPEND
from ktui.actions.taint import TAINT
from ktui.kinds.kind import Kind

ACTIONS: tuple[Action, ...] = (
    SCALE,
    EXPOSE,
    RESTART,
    SET_IMAGE,
    SET_RESOURCES,
    SET_ENV,
    ROLLOUT_STATUS,
    PAUSE,
    RESUME,
    ROLLOUT_HISTORY,
    ROLLOUT_UNDO,
    RUN_NOW,
    SUSPEND,
    RESUME_JOBS,
    CORDON,
    UNCORDON,
    DRAIN,
    TAINT,
    EVICT,
    LABEL,
    ANNOTATE,
    DELETE,
    CREATE_DEPLOYMENT,
    CREATE_SERVICE,
    CREATE_NAMESPACE,
    CREATE_CONFIGMAP,
    CREATE_SECRET,
    CREATE_JOB,
    CREATE_FROM_YAML,
)


def actions_for(kind: Kind) -> list[Action]:
    """What can be done to objects of a kind, in the order of menus; who may is another question."""
    return [action for action in ACTIONS if not action.creates and action.offers(kind)]


def creations() -> list[Action]:
    """What can be made from nothing."""
    return [action for action in ACTIONS if action.creates]
