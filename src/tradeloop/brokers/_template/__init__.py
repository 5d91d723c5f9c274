"""The template of an adapter, which works: it speaks to the toy venue. Copy the folder, change what is theirs (README.md)."""

from tradeloop.brokers._template.adapter import CAPABILITIES, TemplateBroker
from tradeloop.brokers._template.config import Secret, TemplateConfig

__all__ = ["CAPABILITIES", "Secret", "TemplateBroker", "TemplateConfig"]
