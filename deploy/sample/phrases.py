"""What the people of the sample province say. Every sentence is made up."""

OPENINGS = (
    "Kính gửi quý cơ quan,",
    "Kính gửi hòm thư góp ý của đơn vị,",
    "Thưa quý cơ quan,",
)
CLOSINGS = (
    "Rất mong quý cơ quan xem xét và trả lời.",
    "Tôi xin chịu trách nhiệm về nội dung nêu trên và mong sớm nhận được hồi âm.",
    "Xin trân trọng cảm ơn.",
)
MATTERS = (
    "Tôi xin phản ánh việc {office} tiếp dân với thái độ thiếu tôn trọng, nói năng cáu gắt.",
    "Tôi xin phản ánh {office} nhiều lần vắng mặt trong giờ hành chính mà không bố trí người thay.",
    "Tôi xin phản ánh {office} để hồ sơ của người dân quá hạn hai tháng, hỏi thì đùn đẩy.",
    "Xin góp ý về lối sống của {office}: thường xuyên uống rượu bia vào buổi trưa ngày làm việc.",
    "Tôi xin phản ánh dấu hiệu nhũng nhiễu, gây khó dễ cho doanh nghiệp của {office}.",
    "Xin góp ý để {office} chấn chỉnh văn hóa công sở, không hách dịch với người đến liên hệ.",
    "Tôi xin phản ánh {office} đi muộn, về sớm, cán bộ cấp dưới cũng làm theo.",
    "Tôi xin phản ánh {office} không trả lời đơn của tổ dân phố dù đã hứa tại buổi tiếp dân.",
)
PETITIONS = (
    "Tôi xin kiến nghị {office} công khai lịch tiếp công dân trên trang thông tin của đơn vị.",
    "Chúng tôi kiến nghị {office} tổ chức đối thoại định kỳ với người lao động.",
)
COMPLAINTS = (
    "Tôi khiếu nại quyết định của {office} về việc từ chối cấp giấy phép, hồ sơ của tôi đầy đủ.",
    "Tôi làm đơn khiếu nại việc {office} chậm giải quyết chế độ phụ cấp của tôi.",
)
DENUNCIATIONS = (
    "Tôi tố cáo {office} nhận quà biếu để ưu tiên xử lý hồ sơ, có chứng từ kèm theo.",
    "Tôi làm đơn tố cáo {office} bao che cho cấp dưới vi phạm trong quản lý tài sản công.",
)
SUBJECTS = (
    "Phản ánh về tác phong làm việc",
    "Góp ý gửi lãnh đạo đơn vị",
    "Về việc giải quyết hồ sơ chậm",
    "Ý kiến của công dân",
)
NAMES = ("Người dân A", "Một công chức", "Cư dân tổ 5", "Hội viên B", "Công dân C")
